import { DroverError, type ErrorRecord } from '../model/errors.js';
import type { Instance } from '../model/instance.js';
import type { InstancePatch, Intent, IntentCall, Owner, Settled } from '../model/operation.js';
import type { InstanceOperation, Outcome } from './define.js';
import type { Runtime } from './runtime.js';
import { carryOut, noPatience, observe, type Unwound } from './unwind.js';

export type Result = Record<string, unknown> | null;

/** A disk that waits for the readmission of its host is not removed yet. */
function stillThere(told: Result, kept: Unwound['kept']): Record<string, unknown> {
  const removed: unknown = told?.['disksRemoved'];
  const waits = new Set<unknown>(kept.map(({ path }) => path));
  return {
    ...(Array.isArray(removed) ? { disksRemoved: removed.filter((path) => !waits.has(path)) } : {}),
    waits_for_readmission: kept.map(({ says }) => says),
  };
}

interface Unwinding {
  intents: Intent[];
  left: string[];
  committed: InstancePatch | null;
}

/** The way to the end of an operation that has begun: what it owns, what it must undo, how it is closed. */
export class Closing {
  cleanup: Intent[] = [];
  committed = false;
  /** What a commit was to write: set before, since one that fails may have been written all the same. */
  committing: InstancePatch | null = null;
  seq = 0;
  /** What taking back an attempt came to, after which there is no other. */
  unwound: Unwinding | null = null;
  /** Who aborted what it did. */
  abortedBy: string | null = null;
  /** What an undo found to be done after all. */
  private turnedOut: InstancePatch | null = null;
  private settled: Settled[] = [];
  private noted: string[] = [];

  constructor(
    readonly def: InstanceOperation,
    public owner: Owner,
    readonly instance: Instance,
    private readonly rt: Runtime,
  ) {}

  async commit(patch: InstancePatch, cleanup: IntentCall[]): Promise<void> {
    const { rt, owner } = this;
    this.committing = patch;
    const answer = await rt.shielded(() => rt.activity('commit', { owner, patch, cleanup }));
    this.cleanup = answer.intents;
    this.committed = true;
  }

  /** Takes back what was done so far; the operation goes on under a new epoch. */
  async unwind(patience: number): Promise<Unwinding> {
    this.rt.show('unwinding', 'Taking back what was done.');
    const { owner, intents } = await this.rt.activity('startUnwind', { owner: this.owner });
    this.owner = owner;
    const done = new Set(this.settled.map((s) => `${s.operation}/${s.seq}`));
    const open = intents.filter((i) => !done.has(`${i.operation}/${i.seq}`));
    const unwound = await carryOut(this.rt, owner, open, patience);
    this.settled.push(...unwound.settled);
    this.noted.push(...unwound.noted);
    this.turnedOut = unwound.committed ?? this.turnedOut;
    return { intents, left: unwound.left, committed: this.turnedOut };
  }

  async succeed(outcome: Outcome): Promise<Result> {
    const cleaned = await carryOut(this.rt, this.owner, this.cleanup, noPatience);
    this.settled.push(...cleaned.settled);
    this.noted.push(...cleaned.noted);
    const { kept } = cleaned;
    const told = outcome.result ?? null;
    // Whoever reads the record must know what is still there, and who removes it.
    const result = kept.length === 0 ? told : { ...told, ...stillThere(told, kept) };
    const left = [...cleaned.left, ...(outcome.left ?? [])];
    if (left.length === 0 || outcome.patch.state !== 'deleted') return this.done(outcome.patch, result, left);
    // "deleted" is what was wanted; what could not be removed may be the guest itself.
    const seen = await observe(this.rt, this.instance, this.cleanup, 'deleted');
    return this.done(seen.patch, result, left);
  }

  /** What is left to do of an operation that has passed its point of no return. */
  async resume(cleanup: Intent[]): Promise<Result> {
    const { left, settled } = await carryOut(this.rt, this.owner, cleanup, noPatience);
    this.settled.push(...settled);
    const seen = await observe(this.rt, this.instance, cleanup, this.def.whenGone ?? 'error');
    return this.done(seen.patch, { note: 'done by a run before, which was reset' }, [...left, ...seen.left]);
  }

  /** Closes an operation whose work is done, though something may be left to clean up. */
  private async done(patch: InstancePatch, result: Result, left: string[]): Promise<Result> {
    if (left.length === 0) {
      await this.finish('succeeded', patch, result, null, left);
      return result;
    }
    const message = `${this.def.name} is done, but this is left: ${left.join('; ')}`;
    const error = new DroverError('CleanupIncomplete', message, { details: { left } });
    await this.finish('failed', patch, result, error.toRecord(), left);
    throw error;
  }

  async fail(failure: DroverError, patience: number): Promise<Result> {
    const cause = this.inItsWords(failure);
    const { intents, left, committed } = this.unwound ?? (await this.unwind(patience));
    const gone = this.committed && this.def.whenGone ? this.def.whenGone : 'error';
    const where = { ...this.instance, ...this.committing, ...committed } as Instance;
    const seen =
      this.def.recordOnly === true ? { patch: {}, left: [] } : await observe(this.rt, where, intents, gone);
    const leftAll = [...left, ...seen.left];
    // The step had passed its point of no return after all: the work is done, a cancel came too late.
    // Unless it is past that point and broken: a guest in two halves is no work that is done.
    if (committed && committed.state !== 'error')
      return this.done(seen.patch, { note: `done, although: ${cause.message}` }, leftAll);
    const error: ErrorRecord = leftAll.length
      ? new DroverError('UnwindIncomplete', `${cause.message}; and undoing left: ${leftAll.join('; ')}`, {
          details: { cause: cause.toRecord(), left: leftAll },
          hint: `${cause.hint}; the janitor tries again to undo what is left`,
        }).toRecord()
      : cause.toRecord();
    await this.finish(
      error.code === 'Cancelled' ? 'cancelled' : 'failed',
      this.faulted(seen.patch, cause),
      null,
      error,
      leftAll,
    );
    throw leftAll.length
      ? new DroverError('UnwindIncomplete', error.message, { details: error.details, hint: error.hint })
      : cause;
  }

  /** Whoever cancelled it has never heard of the activity that ran just then. */
  private inItsWords(cause: DroverError): DroverError {
    if (cause.code !== 'Cancelled') return cause;
    const { details, hint } = cause;
    const how = this.abortedBy === null ? 'cancelled' : `aborted by ${this.abortedBy}`;
    return new DroverError('Cancelled', `${this.def.name} of ${this.instance.name} was ${how}`, {
      details,
      hint,
      cause,
    });
  }

  /** A launch that failed leaves a row in `error` that says why; one that was cancelled leaves nothing. */
  private faulted(patch: InstancePatch, cause: DroverError): InstancePatch {
    if (!this.def.creates || patch.state !== 'error' || patch.powerState !== 'absent') return patch;
    return cause.code === 'Cancelled' ? { ...patch, state: 'deleted' } : { ...patch, fault: cause.message };
  }

  private async finish(
    state: 'succeeded' | 'failed' | 'cancelled',
    patch: InstancePatch,
    result: Result,
    error: ErrorRecord | null,
    left: string[],
  ): Promise<void> {
    const { owner, settled } = this;
    const { sentence } = await this.rt.activity('finishOperation', {
      owner,
      state,
      patch,
      result,
      error,
      settled,
      left,
    });
    const about = [sentence, error?.message, ...left.map((text) => `left: ${text}`), ...this.noted].filter(
      Boolean,
    );
    this.rt.show(state, about.join('\n\n'));
  }
}
