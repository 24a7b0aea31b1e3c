import { defineOperation } from '../define.js';
import { instanceRef } from '../inputs.js';

export const unlock = defineOperation({
  name: 'unlock',
  summary: 'Allow operations on the instance again: for who locked it, and for administrators.',
  input: instanceRef,
  allowedStates: 'any',
  endsIn: 'as it was',
  errors: [],
  undone: 'Nothing: it is unlocked at the end, or not at all.',
  doing: 'unlocking',
  // The one who locked it may unlock it: refusals.ts.
  respectsLock: false,
  recordOnly: true,
  async run(_input, ctx) {
    const { locked, lockedBy, lockReason } = ctx.instance;
    return { patch: { lock: null }, ...(locked ? { result: { lockedBy, lockReason } } : {}) };
  },
});
