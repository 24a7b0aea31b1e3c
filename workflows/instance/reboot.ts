import { z } from 'zod';
import { DroverError } from '../../model/errors.js';
import type { IntentCall } from '../../model/operation.js';
import { intent } from '../ctx.js';
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
  errors: ['CleanupIncomplete'],
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
    const left: string[] = [];
    const old: IntentCall[] = [];
    if (state === 'error' && ctx.instance.powerState === 'migrating') {
      ctx.phase('clearing', 'a migration left it in halves: what it had in memory is given up');
      const { source, copied, left: more } = await ctx.call('clearHalves', { instance: id, name, host });
      left.push(...more);
      if (source !== null)
        for (const path of copied) {
          const says = `the old copy of the disk ${path} on ${source.name}`;
          old.push(intent('removeDisk', { instance: id, path }, says, source));
        }
    }
    ctx.phase('rebooting', input.hard ? 'hard reboot' : `soft reboot, hard after ${input.grace}`);
    const { forced } = await ctx.call('rebootGuest', {
      instance: id,
      name,
      host,
      soft: !input.hard,
      graceSeconds: seconds(input.grace),
    });
    // The point of no return: it runs from the disks of its host, so that older copies may go.
    if (old.length > 0) await ctx.commit({}, old);
    return { patch: { state: 'active', powerState: 'running', fault: null }, result: { forced }, left };
  },
});
