import { z } from 'zod';
import { defineHostOperation } from '../define.js';
import { hostRefInput } from '../inputs.js';

export const disable = defineHostOperation({
  name: 'disable',
  summary: 'Stop placing instances on a host; those that it has stay.',
  input: hostRefInput.extend({ reason: z.string().min(1).describe('Why, for whoever finds it disabled') }),
  errors: [],
  undone: 'Nothing: it is one change of the inventory, made whole or not at all.',
  async run({ host, reason }, ctx) {
    const { was } = await ctx.call('setHostEnabled', {
      host,
      enabled: false,
      reason,
      by: ctx.request.by,
      request: ctx.request,
    });
    return { host, was };
  },
});
