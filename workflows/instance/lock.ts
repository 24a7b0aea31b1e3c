import { z } from 'zod';
import { defineOperation } from '../define.js';
import { instanceRef } from '../inputs.js';

export const lock = defineOperation({
  name: 'lock',
  summary: 'Refuse every operation that changes the instance, but for administrators.',
  input: instanceRef.extend({ reason: z.string().min(1).describe('Why, for whoever finds it locked') }),
  allowedStates: 'any',
  endsIn: 'as it was',
  errors: [],
  undone: 'Nothing: the lock is written at the end, or not at all.',
  doing: 'locking',
  // Whoever locked it may say another reason; for all others refusals.ts knows a rule of its own.
  respectsLock: false,
  recordOnly: true,
  async run({ reason }, ctx) {
    return { patch: { lock: { by: ctx.request.by, reason } }, result: { reason } };
  },
});
