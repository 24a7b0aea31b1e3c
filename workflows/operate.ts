/**
 * The wrapper of every instance operation: parse, admit, reconcile, run, unwind, record. An operation's file
 * holds only the story; whatever can go wrong around it is dealt with here, once.
 */
import { z } from 'zod';
import type { BeginAnswer } from '../activities/types.js';
import { workPlace } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import { request as requestSchema, type Request } from '../model/operation.js';
import { Closing, type Result } from './closing.js';
import type { Ctx } from './ctx.js';
import { runOnHost } from './run-on-host.js';
import type { HostOperation, InstanceOperation, Outcome } from './define.js';
import type { Runtime } from './runtime.js';
import { asDroverError, carryOut, janitorPatience, noPatience, observe } from './unwind.js';

export interface Order {
  request: Request;
  input: Record<string, unknown>;
}

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

type Began = Exclude<BeginAnswer, { outcome: 'reconcile' | 'occupied' }>;
type Reconcile = Extract<BeginAnswer, { outcome: 'reconcile' }>;

/** Takes the instance. Where an earlier operation never closed, that one is reconciled first. */
async function begin(
  def: InstanceOperation,
  request: Request,
  input: Record<string, unknown>,
  rt: Runtime,
): Promise<Began> {
  let done = false;
  const subject = String(input['instance']);
  const { supersedesWithin: seconds } = def;
  let asked = false;
  let superseded = false;
  for (;;) {
    const answer = await rt.activity('beginOperation', {
      kind: def.name,
      request,
      instance: subject,
      input,
      allowedStates: def.allowedStates === 'any' ? null : [...def.allowedStates],
      doing: def.doing,
      respectsLock: def.respectsLock ?? true,
      respectsNeedsRepair: def.respectsNeedsRepair ?? true,
      needs: def.needs ?? null,
      ...(def.recordOnly === true ? { recordOnly: true } : {}),
      ...(seconds === undefined || asked ? {} : { supersedes: true }),
      ...(superseded ? { superseded } : {}),
      create: def.creates?.(input) ?? null,
    });
    if (answer.outcome === 'occupied') {
      const ended = await rt.activity('supersedeOperation', { instance: subject, seconds: seconds ?? 0 });
      superseded = ended.superseded !== null;
      // Once: whatever has taken it since is met as by every other operation.
      asked = true;
      continue;
    }
    if (answer.outcome === 'began' && done) return { ...answer, committed: answer.committed ?? [] };
    if (answer.outcome !== 'reconcile') return answer;
    const { owner, instance, predecessor, intents } = answer;
    rt.show(
      'reconciling',
      `An earlier operation (${predecessor?.kind ?? 'unknown'}) left something open; finding out what is so.`,
    );
    const unwound = await carryOut(rt, owner, intents, janitorPatience);
    const isDone = unwound.committed !== null && unwound.committed.state !== 'error';
    done = predecessor?.id === request.id && isDone;
    const gone = wasTerminating(answer) ? 'deleted' : 'error';
    const seen = await observe(rt, { ...instance, ...unwound.committed } as typeof instance, intents, gone);
    await rt.activity('reconciled', {
      owner,
      predecessor: predecessor?.id ?? null,
      patch: seen.patch,
      settled: unwound.settled,
      left: [...unwound.left, ...seen.left],
      note: [
        isDone || predecessor?.committed ? 'its work turned out to be done' : 'its work was undone',
        ...unwound.noted,
      ].join('; '),
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
    later(afterMs, operation, input) {
      const { id: subject, name: label, host } = instance;
      const asked: Request = { ...request, role: 'automation', run: null };
      const child = { operation, subject, label, runbook: null, host, request: asked, input };
      return rt.shielded(() => rt.later({ afterMs, of: request.id, child }));
    },
    observe: (also) => observe(rt, instance, [], instance.state === 'deleted' ? 'deleted' : 'error', also),
    serve: (name, ask) => rt.serve(name, ask),
    abortable(work) {
      const { result, cancel } = rt.scope(work);
      const abort = (by: string): void => {
        closing.abortedBy = by;
        cancel();
      };
      return { result, abort };
    },
    async attempt(work, another) {
      try {
        return { ok: true, value: await work() };
      } catch (cause) {
        const error = asDroverError(cause);
        // A cancel ends the whole operation, not this attempt; and so does a newer owner. And another attempt
        // after a commit that failed, but may have been written, would make a second guest.
        if (['Cancelled', 'StaleOwner'].includes(error.code) || closing.committing) throw error;
        if (another?.(error) === false) return { ok: false, error };
        const unwound = await rt.shielded(() => closing.unwind(noPatience));
        const { left, committed } = unwound;
        // What turned out to be past its point of no return is not tried again.
        if (left.length > 0 || committed !== null) {
          // What could not be undone just now is left to the janitor. (A launch undoes it once more, as it always did.)
          if (another) closing.unwound = unwound;
          throw error;
        }
        return { ok: false, error };
      }
    },
  };
}
