import { defineHostOperation } from '../define.js';
import { hostRefInput } from '../inputs.js';

export const enable = defineHostOperation({
  name: 'enable',
  summary: 'Let a host take instances again.',
  input: hostRefInput,
  errors: [],
  undone: 'Nothing: it is one change of the inventory, made whole or not at all.',
  async run({ host }, ctx) {
    const { was } = await ctx.call('setHostEnabled', {
      host,
      enabled: true,
      reason: null,
      by: ctx.request.by,
      request: ctx.request,
    });
    return { host, was };
  },
});
