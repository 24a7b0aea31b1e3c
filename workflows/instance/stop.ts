import { defineOperation } from '../define.js';
import { grace, instanceRef, seconds } from '../inputs.js';

export const stop = defineOperation({
  name: 'stop',
  summary: 'Shut an instance down: ask the guest by ACPI, use force after the grace time.',
  input: instanceRef.extend({ grace: grace('60s') }),
  allowedStates: ['active', 'error'],
  endsIn: ['stopped'],
  errors: [],
  undone:
    'Nothing: a guest that was asked to go down may still do so; what it is then is looked at and recorded.',
  doing: 'stopping',
  async run(input, ctx) {
    const host = await ctx.host();
    ctx.phase('stopping', `shut down, by force after ${input.grace}`);
    const { forced } = await ctx.call('stopGuest', {
      instance: ctx.instance.id,
      name: ctx.instance.name,
      host,
      graceSeconds: seconds(input.grace),
    });
    return { patch: { state: 'stopped', powerState: 'shutoff' }, result: { forced } };
  },
});
