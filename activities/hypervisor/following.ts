import { DroverError } from '../../model/errors.js';
import { defaultMovePolicy } from '../../model/instance.js';
import type { Owner } from '../../model/operation.js';
import type { MigrateAnswer, MigrateInput } from '../types.js';
import { Climber } from './climber.js';
import type { HypervisorDeps, MigrationEnd } from './deps.js';
import type { JobView } from './port.js';
import { tell, type Sides } from './verdict.js';

/** Why a migration is ended before it has arrived. */
export type EarlyEnd = 'cancelled' | 'overdue' | { stalled: string };
type Phase = 'starting' | 'copying' | 'looking' | 'aborting';

/** What one attempt knows of the migration that it follows. */
export class Following {
  /** The client that this attempt started; an attempt that found a running job has none. */
  client: 'none' | 'running' | 'ended' = 'none';
  /** The job in the guest's way that is not a migration. */
  other: JobView | null = null;
  private message: string | null = null;
  private ends: Promise<void> = new Promise(() => {});
  private lookedSince = false;
  private job: JobView | null = null;
  private recorded = false;
  private last: string | null = null;
  private unclearSince: number | null = null;
  private readonly climber: Climber;
  private readonly startedAt: number;

  constructor(
    private readonly deps: HypervisorDeps,
    private readonly input: MigrateInput,
    private readonly owner: Owner,
  ) {
    this.startedAt = deps.clock.now();
    this.climber = new Climber(deps, input);
  }

  /** A job was started or found: from here on both sides are given time. */
  get underway(): boolean {
    return this.client !== 'none' || this.job !== null;
  }

  async start(): Promise<void> {
    const { instance: id, name, source, target, copy, bandwidthMiBs } = this.input;
    const { policy = defaultMovePolicy } = this.input;
    // Recorded first: a migration that nobody has heard of must not run.
    await this.record();
    const { ended } = await this.deps.hypervisor.startMigration({
      id,
      name,
      source,
      target,
      copy,
      bandwidthMiBs,
      autoConverge: policy.autoConverge,
      postCopy: policy.postCopy,
    });
    this.client = 'running';
    this.ends = this.awaitClient(ended);
  }

  /** A job is under way: what is due to bring it to its end is done. */
  async sawJob(job: JobView): Promise<'goes on' | 'post-copy' | { stalled: string }> {
    this.job = job;
    this.unclearSince = null;
    this.last = null;
    await this.record();
    return job.postCopy ? 'post-copy' : this.climber.look(job, this.client === 'none');
  }

  sawOther(job: JobView | null): void {
    this.other = job;
  }

  /**
   * Settles when the client has ended and nobody has looked since. It may end while a poll is under way: then
   * the next look does not wait for the next poll.
   */
  clientEnds(): Promise<void> {
    return this.client === 'none' || this.lookedSince ? new Promise(() => {}) : this.ends;
  }

  /** True once, for the first look that begins after the client's end. */
  looksAfterClient(): boolean {
    if (this.client !== 'ended' || this.lookedSince) return false;
    this.lookedSince = true;
    return true;
  }

  clientMessage(): string {
    return this.message ?? 'its job ended without a message to this worker';
  }

  isOverdue(): boolean {
    return this.deps.clock.now() - this.startedAt > this.input.timeoutSeconds * 1000;
  }

  /** True when the same was seen by the look before this one. */
  twice(verdict: string): boolean {
    const again = this.last === verdict;
    this.last = verdict;
    return again;
  }

  isUnclearFor(ms: number): boolean {
    this.last = null;
    this.unclearSince ??= this.deps.clock.now();
    return this.deps.clock.now() - this.unclearSince > ms;
  }

  progress(phase: Phase): Record<string, unknown> {
    const { totalBytes = null, remainingBytes = null, elapsedMs = null, iteration = null } = this.job ?? {};
    const { throttlePercent = null } = this.job ?? {};
    const known = totalBytes !== null && totalBytes > 0 && remainingBytes !== null;
    const percent = known ? Math.floor(100 * (1 - remainingBytes / totalBytes)) : null;
    return {
      phase,
      percent,
      remainingBytes,
      elapsedMs: elapsedMs ?? this.deps.clock.now() - this.startedAt,
      iteration,
      ...(throttlePercent === null ? {} : { throttlePercent }),
      ...(this.climber.taken.length === 0 ? {} : { ladder: this.climber.taken }),
    };
  }

  async completed(sides: Sides): Promise<MigrateAnswer> {
    const { hypervisor } = this.deps;
    const { instance, source, target } = this.input;
    // The source forgets the guest by itself; if it was killed just then, its definition could be started
    // again. The guest runs on the target and this one is off: it may go now. If that fails, clean-up comes.
    if (sides.source.answered && sides.source.view !== null)
      await ignoreFailure(hypervisor.undefine(source, instance));
    const figures = await hypervisor.completedMigration(target, instance).catch(() => null);
    const answer = figures ?? { downtimeMs: null, totalMs: null, transferredBytes: null };
    // An attempt that only found the guest moved may be the first one to tell.
    await this.record();
    await this.recordEnd({ ...answer, state: 'completed', reason: this.overBudget(answer.downtimeMs) });
    return answer;
  }

  /** Hypervisors only estimate the downtime: what it was in the end is told where that is more than was allowed. */
  private overBudget(downtimeMs: number | null): string | null {
    const budget = this.input.policy?.downtimeMs;
    if (budget === undefined || downtimeMs === null || downtimeMs <= budget) return null;
    return `it stood still for ${downtimeMs} ms; its budget is ${budget} ms`;
  }

  /** The error for a migration that was ended on purpose and did not arrive. */
  endedEarly(why: EarlyEnd, sides: Sides): DroverError {
    const { name, source, target, timeoutSeconds } = this.input;
    const details = {
      source: source.name,
      target: target.name,
      seen: tell(this.input, sides),
      ...this.progress('aborting'),
    };
    if (why === 'cancelled')
      return new DroverError('Cancelled', `the migration of ${name} was cancelled`, { details });
    const remaining = this.job?.remainingBytes ?? null;
    const left = remaining === null ? '' : `, with ${Math.ceil(remaining / 1024 ** 2)} MiB left`;
    const faster = `${name} changes its memory faster than it can be copied${left}`;
    if (why !== 'overdue')
      return new DroverError('MigrationStalled', `${faster}: ${why.stalled}; aborted`, { details });
    // Copied once and no nearer to the end for the last third of its time: it would never have ended.
    const stalled = (this.job?.iteration ?? 0) > 1 && this.climber.stuckMs > (timeoutSeconds * 1000) / 3;
    return stalled
      ? new DroverError('MigrationStalled', `${faster} after ${timeoutSeconds} s; aborted`, { details })
      : new DroverError(
          'TimedOut',
          `the migration of ${name} did not end within ${timeoutSeconds} s${left}; aborted`,
          { details },
        );
  }

  /** Only what ends the migration for good; an attempt that is tried again leaves the record open. */
  async recordFailure(error: DroverError): Promise<void> {
    if (!this.recorded || error.retryable) return;
    const state = error.code === 'Cancelled' ? 'cancelled' : 'failed';
    const figures = { downtimeMs: null, totalMs: null, transferredBytes: null };
    await ignoreFailure(this.recordEnd({ ...figures, state, reason: error.message }));
  }

  private async awaitClient(ended: Promise<string | null>): Promise<void> {
    this.message = await ended.catch(String);
    this.client = 'ended';
  }

  private async record(): Promise<void> {
    if (this.recorded) return;
    const { migration: id, instance, source, target, copy, disks } = this.input;
    const storage = copy.length > 0 ? 'block' : 'shared';
    const operation = this.owner.operation;
    await this.deps.inventory.migrationStarted({
      id,
      operation,
      instance,
      source: source.name,
      target: target.name,
      storage,
      copied: disks.filter((disk) => copy.includes(disk.target)).map(({ path }) => path),
    });
    this.recorded = true;
  }

  private recordEnd(end: MigrationEnd): Promise<void> {
    return this.deps.inventory.migrationEnded(this.input.migration, end);
  }
}

/** For what is better than nothing: the caller's own error, or its success, is what counts. */
async function ignoreFailure(work: Promise<void>): Promise<void> {
  await work.catch(() => undefined);
}
