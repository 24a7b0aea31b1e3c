/** One attempt at an activity in a worker process, as worker/envelope.ts makes it under Temporal. */
import { asksLeave, failureOf, type Failure } from '../activities/attempt.js';
import { activityLimits, beatsAtMostEvery } from '../activities/limits.js';
import { activityTable } from '../activities/table.js';
import type { Call, Envelope } from '../activities/types.js';
import type { VirtualClock } from './clock.js';
import type { WorkerProcess } from './process.js';
import type { Scope } from './scope.js';
import type { Task, TaskRun } from './task.js';
import { atMoment, type Trouble } from './trouble.js';

export type Outcome =
  | { kind: 'answered'; answer: unknown }
  | { kind: 'failed'; failure: Failure }
  /** Nothing was heard of it in time. */
  | { kind: 'silent'; limit: 'START_TO_CLOSE' | 'HEARTBEAT' };

/** An injected failure is final after so many. */
const troubledAttempts = 10;

export class Attempt {
  private readonly stopper = new AbortController();
  private requested = false;
  private settled = false;
  private lost = false;
  private readonly ends: (() => void)[] = [];
  private settle: (outcome: Outcome) => void = () => undefined;

  constructor(
    private readonly task: Task,
    private readonly process: WorkerProcess,
    private readonly clock: VirtualClock,
    private readonly scope: Scope<TaskRun>,
    private readonly number: number,
    private readonly begun: number,
  ) {}

  /** At most `ms`. Whoever was told that it is silent does not hear of a later end. */
  run(ms: number): Promise<Outcome> {
    return new Promise((resolve) => {
      this.settle = (outcome) => {
        if (this.settled) return;
        this.settled = true;
        for (const end of this.ends) end();
        resolve(outcome);
      };
      this.timer(ms, () => {
        this.stop(false);
        this.settle({ kind: 'silent', limit: 'START_TO_CLOSE' });
      });
      this.ends.push(this.process.watch({ killed: () => this.lose(), stopping: () => this.stop(false) }));
      // Only what beats hears of anything: with the answer to a beat.
      if (this.limits.heartbeat !== null) {
        this.ends.push(
          this.scope.onCancel(() => this.timer(beatsAtMostEvery, () => this.stop(true))),
          this.scope.run.onTerminated(() => this.timer(beatsAtMostEvery, () => this.stop(false))),
        );
      }
      this.work().then(
        (answer) => this.end({ kind: 'answered', answer }),
        (error: unknown) => this.end({ kind: 'failed', failure: this.judge(error) }),
      );
    });
  }

  private get limits() {
    return activityLimits[activityTable[this.task.name].class];
  }

  private timer(ms: number, fire: () => void): void {
    this.ends.push(this.clock.timer(ms, fire));
  }

  private end(outcome: Outcome): void {
    if (this.process.alive && !this.lost) this.settle(outcome);
  }

  /** Nothing is heard of it any more. */
  private lose(): void {
    this.lost = true;
    const { heartbeat } = this.limits;
    if (heartbeat !== null) {
      this.timer(heartbeat, () => this.settle({ kind: 'silent', limit: 'HEARTBEAT' }));
    }
  }

  private stop(requested: boolean): void {
    if (this.stopper.signal.aborted) return;
    this.requested = requested;
    this.stopper.abort();
  }

  private judge(error: unknown): Failure {
    const elapsedMs = this.clock.now() - this.begun;
    const cancelled = this.requested;
    const { patience: patienceMs } = this.limits;
    const failure = failureOf(error, { attempt: this.number, elapsedMs, patienceMs, cancelled });
    // What fails for ever would be tried for ever, where Temporal sets no limit.
    const injected = this.task.troubles.some(({ fail }) => fail?.error === error);
    if (injected && !failure.cancelled && this.number >= troubledAttempts)
      return { ...failure, again: false };
    return failure;
  }

  private async work(): Promise<unknown> {
    const { task } = this;
    await this.happen('before');
    let answer = await this.carry(task.envelope);
    if (task.twice) answer = await this.carry(task.envelope);
    await this.happen('after');
    return answer;
  }

  private async carry(envelope: Envelope): Promise<unknown> {
    const { name } = this.task;
    const { skills } = this.process;
    const call = this.callOf(envelope);
    if (envelope.owner && asksLeave(name, envelope)) {
      await skills.admit?.({ owner: envelope.owner, seq: envelope.seq, undo: envelope.undo }, call);
    }
    await this.happen('within');
    const work = skills[name] as ((input: unknown, call: Call) => Promise<unknown>) | undefined;
    if (!work) throw new Error(`this worker does not do ${name}`);
    return work(envelope.input, call);
  }

  private callOf({ owner, host }: Envelope): Call {
    return {
      owner,
      host,
      signal: this.stopper.signal,
      cancelRequested: () => this.requested,
      heartbeat: () => undefined,
    };
  }

  private async happen(moment: 'before' | 'within' | 'after'): Promise<void> {
    if (this.task.troubles.length === 0) return;
    for (const trouble of atMoment(this.task.troubles, moment)) await this.suffer(trouble, moment);
  }

  private async suffer(trouble: Trouble, moment: 'before' | 'within' | 'after'): Promise<void> {
    const { run } = this.scope;
    const first = this.number === 1;
    if (first && trouble.act) await trouble.act();
    if (trouble.fail && (first || !trouble.fail.once)) throw trouble.fail.error;
    if (first && trouble.lose) this.lose();
    if (trouble.cancel) run.cancel();
    if (trouble.terminate) run.terminate();
    if (trouble.terminate && moment !== 'after') throw new Error('its workflow was terminated');
    if (first && trouble.crash) {
      run.crash(this.process);
      await new Promise(() => {});
    }
  }
}
