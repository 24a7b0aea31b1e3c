import { defineHostOperation } from '../define.js';
import { hostRefInput } from '../inputs.js';

export const endMaintenance = defineHostOperation({
  name: 'end-maintenance',
  summary: 'End the maintenance of a host before its time, whoever declared it.',
  input: hostRefInput,
  errors: [],
  undone: 'Nothing: it is one change of the inventory, made whole or not at all.',
  async run({ host }, ctx) {
    return { host, ...(await ctx.call('endMaintenance', { host, request: ctx.request })) };
  },
});
