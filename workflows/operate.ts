/**
 * The wrapper of every instance operation: parse, admit, reconcile, run, unwind, record. An operation's file
 * holds only the story; whatever can go wrong around it is dealt with here, once.
 */
import { z } from 'zod';
import type { BeginAnswer } from '../activities/types.js';
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
  const request = requestSchema.safeParse(order.request);
  const input = schema.safeParse(order.input);
  const error = request.error ?? input.error;
  if (error) throw new DroverError('InvalidInput', z.prettifyError(error));
  return { request: request.data as Request, input: input.data as z.output<I> };
}

export async function operateOnHost(def: HostOperation, order: Order, rt: Runtime): Promise<Result> {
  const { request, input } = parseOrder(def.input, order);
  rt.show(def.name, def.summary);
  return def.run(input, {
    request,
    call: (name, args, options) => rt.activity(name, args, { onHost: options?.on?.name ?? null }),
  });
}

export async function operate(def: InstanceOperation, order: Order, rt: Runtime): Promise<Result> {
  const { request, input } = parseOrder(def.input, order);
  rt.show('admission', def.summary);
  const began = await rt.shielded(() => begin(def, request, input, rt));
  if (began.outcome === 'closed') return repeatAnswer(began);
  const closing = new Closing(def, began.owner, began.instance, rt);
  const ctx = makeCtx(request, closing, rt);
  let outcome: Outcome;
  try {
    outcome = await def.run(input, ctx);
  } catch (error) {
    return rt.shielded(() => closing.fail(asDroverError(error)));
  }
  return rt.shielded(() => closing.succeed(outcome));
}

type Began = Exclude<BeginAnswer, { outcome: 'reconcile' }>;

/** Takes the instance. Where an earlier operation never closed, that one is reconciled first. */
async function begin(
  def: InstanceOperation,
  request: Request,
  input: Record<string, unknown>,
  rt: Runtime,
): Promise<Began> {
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
    if (answer.outcome !== 'reconcile') return answer;
    const { owner, instance, predecessor, intents } = answer;
    rt.show(
      'reconciling',
      `An earlier operation (${predecessor?.kind ?? 'unknown'}) did not close; finding out what is so.`,
    );
    const unwound = await carryOut(rt, owner, intents, janitorPatience);
    const gone = predecessor?.kind === 'terminate' ? 'deleted' : 'error';
    const seen = await observe(rt, { ...instance, ...unwound.committed } as typeof instance, intents, gone);
    await rt.activity('reconciled', {
      owner,
      predecessor: predecessor?.id ?? null,
      patch: seen.patch,
      settled: unwound.settled,
      left: [...unwound.left, ...seen.left],
      note: unwound.committed ? 'its work turned out to be done' : 'its work was undone',
    });
  }
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
    const answer = await rt.shielded(() => rt.activity('commit', { owner, patch, cleanup }));
    this.cleanup = answer.intents;
    this.committed = true;
  }

  /** Takes back what was done so far; the operation goes on under a new epoch. */
  async unwind(): Promise<{ intents: Intent[]; left: string[]; committed: InstancePatch | null }> {
    this.rt.show('unwinding', 'Taking back what was done.');
    const { owner, intents } = await this.rt.activity('startUnwind', { owner: this.owner });
    this.owner = owner;
    const done = new Set(this.settled.map((s) => `${s.operation}/${s.seq}`));
    const open = intents.filter((i) => !done.has(`${i.operation}/${i.seq}`));
    const unwound = await carryOut(this.rt, owner, open, noPatience);
    this.settled.push(...unwound.settled);
    return { intents, left: unwound.left, committed: unwound.committed };
  }

  async succeed(outcome: Outcome): Promise<Result> {
    const cleaned = await carryOut(this.rt, this.owner, this.cleanup, noPatience);
    this.settled.push(...cleaned.settled);
    const error = cleaned.left.length
      ? new DroverError(
          'CleanupIncomplete',
          `${this.def.name} is done, but this is left: ${cleaned.left.join('; ')}`,
        ).toRecord()
      : null;
    // A patch that says "deleted" is only true once everything is cleaned up.
    const patch = error && outcome.patch.state === 'deleted' ? {} : outcome.patch;
    await this.finish(error ? 'failed' : 'succeeded', patch, outcome.result ?? null, error, cleaned.left);
    if (error) throw new DroverError('CleanupIncomplete', error.message, { details: { left: cleaned.left } });
    return outcome.result ?? null;
  }

  async fail(cause: DroverError): Promise<Result> {
    const { intents, left, committed } = await this.unwind();
    const gone = this.committed && this.def.whenGone ? this.def.whenGone : 'error';
    const seen = await observe(
      this.rt,
      { ...this.instance, ...committed } as typeof this.instance,
      intents,
      gone,
    );
    const leftAll = [...left, ...seen.left];
    if (committed) {
      // The step had passed its point of no return after all: the work is done, a cancel came too late.
      await this.finish(
        leftAll.length ? 'failed' : 'succeeded',
        seen.patch,
        { note: `done, although: ${cause.message}` },
        null,
        leftAll,
      );
      return { note: `done, although: ${cause.message}` };
    }
    const error: ErrorRecord = leftAll.length
      ? new DroverError('UnwindIncomplete', `${cause.message}; and undoing left: ${leftAll.join('; ')}`, {
          details: { cause: cause.toRecord(), left: leftAll },
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
      ? new DroverError('UnwindIncomplete', error.message, { details: error.details })
      : cause;
  }

  /** A launch that failed leaves a row in `error` that says why; one that was cancelled leaves nothing. */
  private faulted(patch: InstancePatch, cause: DroverError): InstancePatch {
    if (!this.def.creates || patch.state !== 'error') return patch;
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
        onHost: options.on?.name ?? null,
      });
    // Past the point of no return nothing is cancelled any more.
    return closing.committed ? rt.shielded(work) : work();
  };
  return {
    request,
    instance,
    call,
    id: () => rt.id(),
    async host() {
      if (instance.host) return call('getHost', { host: instance.host });
      throw new DroverError('WrongState', `instance ${instance.name} is on no host; ${def.name} needs one`);
    },
    phase: (phase, detail) => rt.show(phase, `${instance.name}: ${detail ?? phase}`),
    commit: (patch, cleanup = []) => closing.commit(patch, cleanup),
    async attempt(work) {
      try {
        return { ok: true, value: await work() };
      } catch (cause) {
        const error = asDroverError(cause);
        // A cancel ends the whole operation, not this attempt; and so does a newer owner.
        if (error.code === 'Cancelled' || error.code === 'StaleOwner') throw error;
        const { left } = await rt.shielded(() => closing.unwind());
        if (left.length > 0) throw error;
        return { ok: false, error };
      }
    },
  };
}
