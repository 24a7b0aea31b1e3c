import { z } from 'zod';
import { durationSchema } from '../../model/duration.js';
import { defineHostOperation } from '../define.js';
import { hostRefInput, seconds } from '../inputs.js';

export const maintenance = defineHostOperation({
  name: 'maintenance',
  summary:
    'Declare a host in maintenance for some time: it gets no new instances, and its silence is no alarm.',
  input: hostRefInput.extend({
    for: durationSchema.describe('How long, from now, for example 2h; it ends by itself'),
    reason: z.string().min(1).describe('Why, for whoever finds it so'),
  }),
  errors: [],
  undone: 'Nothing: it is one change of the inventory, made whole or not at all.',
  async run({ host, for: long, reason }, ctx) {
    const { request } = ctx;
    const said = await ctx.call('startMaintenance', { host, seconds: seconds(long), reason, request });
    return { host, ...said };
  },
});
