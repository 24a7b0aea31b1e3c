import { instanceRef } from '../inputs.js';
import { defineOperation } from '../define.js';

/**
 * The janitor's operation. The wrapper reconciles every unclosed predecessor before it calls `run`, so all
 * that is left to do here is to look once more and to write down what is so.
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
    // What reconciling could not settle just now is still to be settled: the janitor comes again.
    const { needsRepair } = ctx.instance;
    return needsRepair === null ? seen : { ...seen, left: [...seen.left, needsRepair] };
  },
});
