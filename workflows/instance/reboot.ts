import { z } from 'zod';
import { DroverError } from '../../model/errors.js';
import { defineOperation } from '../define.js';
import { grace, instanceRef, seconds } from '../inputs.js';

export const reboot = defineOperation({
  name: 'reboot',
  summary: 'Reboot an instance: soft asks the guest and falls back to hard, hard cuts its power.',
  input: instanceRef.extend({
    hard: z.boolean().default(false).describe('Cut the power instead of asking the guest'),
    grace: grace('60s'),
  }),
  // A soft reboot needs a guest that can answer; `run` says so for the other states.
  allowedStates: ['active', 'stopped', 'paused', 'suspended', 'error'],
  endsIn: ['active'],
  errors: [],
  undone:
    'Nothing: a guest that was told to go down may have gone down; what it is then is looked at and recorded.',
  doing: 'rebooting',
  async run(input, ctx) {
    const { id, name, state } = ctx.instance;
    if (!input.hard && state !== 'active') {
      throw new DroverError('WrongState', `a soft reboot needs state active; ${name} is ${state}`, {
        hint: 'reboot it with --hard',
      });
    }
    const host = await ctx.host();
    let left: string[] = [];
    if (state === 'error' && ctx.instance.powerState === 'migrating') {
      ctx.phase('clearing', 'a migration left it in halves: what it had in memory is given up');
      ({ left } = await ctx.call('clearHalves', { instance: id, name, host }));
    }
    ctx.phase('rebooting', input.hard ? 'hard reboot' : `soft reboot, hard after ${input.grace}`);
    const { forced } = await ctx.call('rebootGuest', {
      instance: id,
      name,
      host,
      soft: !input.hard,
      graceSeconds: seconds(input.grace),
    });
    return { patch: { state: 'active', powerState: 'running', fault: null }, result: { forced }, left };
  },
});
