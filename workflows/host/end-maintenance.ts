import { defineHostOperation } from '../define.js';
import { hostRefInput } from '../inputs.js';

export const endMaintenance = defineHostOperation({
  name: 'end-maintenance',
  summary: 'End the maintenance of a host before its time, whoever declared it.',
  input: hostRefInput,
  async run({ host }, ctx) {
    return { host, ...(await ctx.call('endMaintenance', { host, request: ctx.request })) };
  },
});
