/** What a workflow waits for beside activities and children. */
import type { VirtualClock } from './clock.js';
import type { Scope } from './scope.js';
import { cancelled } from './wire.js';

/** Ends after `ms`, or when the scope is cancelled. */
export function timer(clock: VirtualClock, ms: number, scope: Scope<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const off = clock.timer(ms, () => {
      forget();
      resolve();
    });
    const forget = scope.onCancel(() => {
      off();
      resolve();
    });
  });
}

/** Conditions of one workflow, which are asked again after whatever happens in it. */
export class Conditions {
  private readonly asked = new Set<() => boolean>();

  get size(): number {
    return this.asked.size;
  }

  /** False when `ms` have passed before it holds. */
  wait(
    holds: () => boolean,
    ms: number | null,
    scope: Scope<unknown>,
    clock: VirtualClock,
  ): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const ends: (() => void)[] = [];
      const settle = (answer: boolean | null) => {
        for (const end of ends) end();
        if (answer === null) reject(cancelled('the wait'));
        else resolve(answer);
      };
      const ask = () => {
        if (!holds()) return false;
        settle(true);
        return true;
      };
      this.asked.add(ask);
      ends.push(
        () => this.asked.delete(ask),
        scope.onCancel(() => settle(null)),
      );
      if (ms !== null) ends.push(clock.timer(ms, () => settle(false)));
    });
  }

  /** True when one holds now. */
  recheck(): boolean {
    let held = false;
    for (const ask of this.asked) held = ask() || held;
    return held;
  }
}
