import { defineOperation } from '../define.js';
import { instanceRef } from '../inputs.js';

export const start = defineOperation({
  name: 'start',
  summary: 'Start a stopped instance.',
  input: instanceRef,
  allowedStates: ['stopped'],
  endsIn: ['active'],
  errors: [],
  undone: 'Nothing: a guest that has started runs on, and is recorded as it is seen.',
  doing: 'starting',
  async run(_input, ctx) {
    const host = await ctx.host();
    ctx.phase('starting', `start on ${host.name}`);
    const { power } = await ctx.call('startGuest', {
      instance: ctx.instance.id,
      name: ctx.instance.name,
      host,
    });
    return { patch: { state: 'active', powerState: power } };
  },
});
