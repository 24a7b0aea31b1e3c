/**
 * The wrapper of every instance operation: parse, admit, reconcile, run, unwind, record. An operation's file
 * holds only the story; whatever can go wrong around it is dealt with here, once.
 */
import { z } from 'zod';
import type { BeginAnswer } from '../activities/types.js';
import { workPlace } from '../model/addresses.js';
import { DroverError, type ErrorRecord } from '../model/errors.js';
import type { Instance } from '../model/instance.js';
import {
  request as requestSchema,
  type InstancePatch,
  type Intent,
  type IntentCall,
  type Owner,
  type Request,
} from '../model/operation.js';
import type { Ctx } from './ctx.js';
import { runOnHost } from './run-on-host.js';
import type { HostOperation, InstanceOperation, Outcome } from './define.js';
import type { Runtime } from './runtime.js';
import { asDroverError, carryOut, janitorPatience, noPatience, observe } from './unwind.js';

export interface Order {
  request: Request;
  input: Record<string, unknown>;
}

export type Result = Record<string, unknown> | null;

/** Parses what came over the wire; a wrong input is a refusal, never a failed workflow task. */
function parseOrder<I extends z.ZodObject>(
  schema: I,
  order: Order,
): { request: Request; input: z.output<I> } {
  // Whoever starts a workflow by hand may give it anything, or nothing.
  const { request: asked, input: given } = (order ?? {}) as Partial<Order>;
  const request = requestSchema.safeParse(asked);
  const input = schema.safeParse(given);
  const error = request.error ?? input.error;
  if (error) throw new DroverError('InvalidInput', z.prettifyError(error));
  return { request: request.data as Request, input: input.data as z.output<I> };
}

export async function operateOnHost(def: HostOperation, order: Order, rt: Runtime): Promise<Result> {
  const { request, input } = parseOrder(def.input, order);
  return runOnHost(def, request, input, rt);
}

export async function operate(def: InstanceOperation, order: Order, rt: Runtime): Promise<Result> {
  const { request, input } = parseOrder(def.input, order);
  rt.show('admission', def.summary);
  const began = await rt.shielded(() => begin(def, request, input, rt));
  if (began.outcome === 'closed') return repeatAnswer(began);
  const closing = new Closing(def, began.owner, began.instance, rt);
  // A run of this operation before this one, which was reset, has done the work: not twice.
  if (began.committed) return rt.shielded(() => closing.resume(began.committed ?? []));
  const ctx = makeCtx(request, closing, rt);
  let outcome: Outcome;
  try {
    outcome = await def.run(input, ctx);
  } catch (error) {
    // A network that was away is nobody's wish to abort: the hypervisors may go on, and are given the time.
    const patience = rt.cancelled() || !isOutOfReach(error) ? noPatience : janitorPatience;
    return rt.shielded(() => closing.fail(asDroverError(error), patience));
  }
  return rt.shielded(() => closing.succeed(outcome));
}

const isOutOfReach = (error: unknown): boolean => asDroverError(error).code === 'HypervisorUnreachable';

type Began = Exclude<BeginAnswer, { outcome: 'reconcile' }>;
type Reconcile = Extract<BeginAnswer, { outcome: 'reconcile' }>;

/** Takes the instance. Where an earlier operation never closed, that one is reconciled first. */
async function begin(
  def: InstanceOperation,
  request: Request,
  input: Record<string, unknown>,
  rt: Runtime,
): Promise<Began> {
  let done = false;
  for (;;) {
    const answer = await rt.activity('beginOperation', {
      kind: def.name,
      request,
      instance: String(input['instance']),
      input,
      allowedStates: def.allowedStates === 'any' ? null : [...def.allowedStates],
      doing: def.doing,
      respectsLock: def.respectsLock ?? true,
      respectsNeedsRepair: def.respectsNeedsRepair ?? true,
      needs: def.needs ?? null,
      create: def.creates?.(input) ?? null,
    });
    if (answer.outcome === 'began' && done) return { ...answer, committed: answer.committed ?? [] };
    if (answer.outcome !== 'reconcile') return answer;
    const { owner, instance, predecessor, intents } = answer;
    rt.show(
      'reconciling',
      `An earlier operation (${predecessor?.kind ?? 'unknown'}) left something open; finding out what is so.`,
    );
    const unwound = await carryOut(rt, owner, intents, janitorPatience);
    done = predecessor?.id === request.id && unwound.committed !== null;
    const gone = wasTerminating(answer) ? 'deleted' : 'error';
    const seen = await observe(rt, { ...instance, ...unwound.committed } as typeof instance, intents, gone);
    await rt.activity('reconciled', {
      owner,
      predecessor: predecessor?.id ?? null,
      patch: seen.patch,
      settled: unwound.settled,
      left: [...unwound.left, ...seen.left],
      note:
        unwound.committed || predecessor?.committed
          ? 'its work turned out to be done'
          : 'its work was undone',
    });
  }
}

/** A terminate that had passed its point of no return: then no guest is what was wanted. */
function wasTerminating({ predecessor, instance }: Reconcile): boolean {
  return instance.state === 'deleted' || (predecessor?.kind === 'terminate' && predecessor.committed);
}

/** A request that was answered before gets the same answer. */
function repeatAnswer(closed: Extract<Began, { outcome: 'closed' }>): Result {
  if (!closed.error) return closed.result;
  const { code, message, details, hint } = closed.error;
  throw new DroverError(code, message, { details, hint });
}

/** The way to the end of an operation that has begun: what it owns, what it must undo, how it is closed. */
class Closing {
  cleanup: Intent[] = [];
  committed = false;
  /** What a commit was to write: set before, since one that fails may have been written all the same. */
  committing: InstancePatch | null = null;
  seq = 0;
  private settled: { operation: string; seq: number }[] = [];

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
  async unwind(
    patience: number,
  ): Promise<{ intents: Intent[]; left: string[]; committed: InstancePatch | null }> {
    this.rt.show('unwinding', 'Taking back what was done.');
    const { owner, intents } = await this.rt.activity('startUnwind', { owner: this.owner });
    this.owner = owner;
    const done = new Set(this.settled.map((s) => `${s.operation}/${s.seq}`));
    const open = intents.filter((i) => !done.has(`${i.operation}/${i.seq}`));
    const unwound = await carryOut(this.rt, owner, open, patience);
    this.settled.push(...unwound.settled);
    return { intents, left: unwound.left, committed: unwound.committed };
  }

  async succeed(outcome: Outcome): Promise<Result> {
    const cleaned = await carryOut(this.rt, this.owner, this.cleanup, noPatience);
    this.settled.push(...cleaned.settled);
    const result = outcome.result ?? null;
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
    const { intents, left, committed } = await this.unwind(patience);
    const gone = this.committed && this.def.whenGone ? this.def.whenGone : 'error';
    const where = { ...this.instance, ...this.committing, ...committed } as Instance;
    const seen = await observe(this.rt, where, intents, gone);
    const leftAll = [...left, ...seen.left];
    // The step had passed its point of no return after all: the work is done, a cancel came too late.
    if (committed) return this.done(seen.patch, { note: `done, although: ${cause.message}` }, leftAll);
    const error: ErrorRecord = leftAll.length
      ? new DroverError('UnwindIncomplete', `${cause.message}; and undoing left: ${leftAll.join('; ')}`, {
          details: { cause: cause.toRecord(), left: leftAll },
          hint: `${cause.hint}; the janitor tries again to undo what is left`,
        }).toRecord()
      : cause.toRecord();
    await this.finish(
      cause.code === 'Cancelled' ? 'cancelled' : 'failed',
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
    return new DroverError('Cancelled', `${this.def.name} of ${this.instance.name} was cancelled`, {
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
    const about = [sentence, error?.message, ...left.map((text) => `left: ${text}`)].filter(Boolean);
    this.rt.show(state, about.join('\n\n'));
  }
}

function makeCtx(request: Request, closing: Closing, rt: Runtime): Ctx {
  const { instance, def } = closing;
  const call: Ctx['call'] = (name, input, options = {}) => {
    closing.seq += 1;
    const { seq } = closing;
    const work = () =>
      rt.activity(name, input, {
        owner: closing.owner,
        seq,
        undo: options.undo ?? null,
        onHost: options.on ? workPlace(options.on) : null,
      });
    // Past the point of no return nothing is cancelled any more.
    return closing.committed ? rt.shielded(work) : work();
  };
  return {
    request,
    instance,
    call,
    id: () => rt.id(),
    now: () => rt.now(),
    cancelled: () => rt.cancelled(),
    async host() {
      if (instance.host) return call('getHost', { host: instance.host });
      throw new DroverError('WrongState', `instance ${instance.name} is on no host; ${def.name} needs one`);
    },
    phase: (phase, detail) => rt.show(phase, `${instance.name}: ${detail ?? phase}`),
    commit: (patch, cleanup = []) => closing.commit(patch, cleanup),
    observe: () => observe(rt, instance, [], instance.state === 'deleted' ? 'deleted' : 'error'),
    async attempt(work) {
      try {
        return { ok: true, value: await work() };
      } catch (cause) {
        const error = asDroverError(cause);
        // A cancel ends the whole operation, not this attempt; and so does a newer owner. And another attempt
        // after a commit that failed, but may have been written, would make a second guest.
        if (['Cancelled', 'StaleOwner'].includes(error.code) || closing.committing) throw error;
        const { left } = await rt.shielded(() => closing.unwind(noPatience));
        if (left.length > 0) throw error;
        return { ok: false, error };
      }
    },
  };
}
