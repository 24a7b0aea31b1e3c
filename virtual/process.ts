/**
 * A worker process. One that is killed does nothing more: its calls to the world and its timers never return, so
 * that what it was doing stops at the next of them. Transactions of the inventory that have begun are whole.
 */
import type { Clock } from '../activities/clock.js';
import type { Activities, Implement } from '../activities/types.js';

/** What it can do; a control worker has `admit`. */
export type Skills = Partial<Implement<Activities>>;

/** What an attempt must hear of. */
export interface Watcher {
  killed: () => void;
  /** It should stop, and nobody has asked to cancel. */
  stopping: () => void;
}

const never = <T>(): Promise<T> => new Promise(() => {});

export class WorkerProcess {
  readonly skills: Skills;
  private lives = true;
  private readonly watchers = new Set<Watcher>();

  constructor(make: (process: WorkerProcess) => Skills) {
    this.skills = make(this);
  }

  get alive(): boolean {
    return this.lives;
  }

  /** What it answers ends the watch. */
  watch(watcher: Watcher): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** SIGKILL. */
  kill(): void {
    this.lives = false;
    for (const { killed } of this.watchers) killed();
    this.watchers.clear();
  }

  /** SIGTERM: its activities are told to stop. */
  stop(): void {
    for (const { stopping } of this.watchers) stopping();
  }

  /** A port whose calls end with the process. */
  bound<P extends object>(port: P): P {
    return Object.fromEntries(
      Object.entries(port).map(([name, member]: [string, unknown]) => [
        name,
        typeof member === 'function' ? this.call(member as (...all: unknown[]) => unknown) : member,
      ]),
    ) as P;
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      sleep: async (ms, signal) => {
        await clock.sleep(ms, signal);
        await this.orNever();
      },
    };
  }

  private async orNever(): Promise<void> {
    if (!this.lives) await never();
  }

  private call(member: (...all: unknown[]) => unknown): (...all: unknown[]) => unknown {
    return (...all) => {
      if (!this.lives) return never();
      const answer = member(...all);
      if (!(answer instanceof Promise)) return answer;
      return gated(answer, () => this.orNever());
    };
  }
}

async function gated(answer: Promise<unknown>, gate: () => Promise<void>): Promise<unknown> {
  try {
    return await answer;
  } finally {
    await gate();
  }
}
