import { instanceRef } from '../inputs.js';
import { defineOperation, type Outcome } from '../define.js';
import type { Ctx } from '../ctx.js';
import { isBroughtBack, whatHappened } from '../happened.js';

/**
 * The operation of the janitor, and of whoever hears of a guest that went off by itself. The wrapper reconciles every
 * unclosed predecessor before it calls `run`, so all that is left to do here is to look once more, to write down what
 * is so, and why. Bringing the guest back is an operation of its own, which whoever asked for this one begins.
 */
export const repair = defineOperation({
  name: 'repair',
  summary: 'Settle what an operation that no longer runs left behind, and record where the guest really is.',
  input: instanceRef,
  allowedStates: 'any',
  endsIn: 'as seen',
  errors: ['CleanupIncomplete'],
  undone:
    'Nothing of its own: it takes back, or completes, what earlier operations left open, and records what is so.',
  doing: 'repairing',
  respectsLock: false,
  respectsNeedsRepair: false,
  async run(_input, ctx) {
    ctx.phase('repairing', 'look where it is and what it does');
    const seen = await ctx.observe();
    const { patch, left } = await withCause(seen, ctx);
    // What reconciling could not settle just now is still to be settled: the janitor comes again.
    const { needsRepair } = ctx.instance;
    const result = patch.happened ? resultOf(patch) : undefined;
    return {
      patch,
      left: needsRepair === null ? left : [...left, needsRepair],
      ...(result === undefined ? {} : { result }),
    };
  },
});

type Seen = Awaited<ReturnType<Ctx['observe']>>;

async function withCause({ patch, left, sightings }: Seen, ctx: Ctx): Promise<Outcome & { left: string[] }> {
  const { instance } = ctx;
  const where = patch.host ?? instance.host;
  const seen = sightings.find(({ host }) => host === where);
  const happened = whatHappened(instance, patch, seen);
  if (happened === null) return { patch, left };
  // Instances in histories of old have no policy.
  const policy = instance.restartPolicy ?? 'never';
  if (left.length > 0 || !isBroughtBack(policy, happened.event))
    return { patch: { ...patch, happened }, left };
  const { refused } = await ctx.call('mayRestart', { instance: instance.id });
  if (refused !== null)
    return { patch: { ...patch, happened: { ...happened, cause: `${happened.cause}; ${refused}` } }, left };
  const todo = `nothing: its restart policy (${policy}) starts it again`;
  return { patch: { ...patch, happened: { ...happened, todo }, restartDue: true }, left };
}

const resultOf = ({ happened, restartDue }: Outcome['patch']): Record<string, unknown> => ({
  note: happened?.cause,
  ...(restartDue === true ? { restart: 'due' } : {}),
});
