import { z } from 'zod';
import { defineHostOperation } from '../define.js';
import { hostRefInput } from '../inputs.js';

export const setHost = defineHostOperation({
  name: 'set',
  summary:
    'Say where a host is and what it is for: zone, labels, shared stores, limits, what recoveries make of it. What is not named stays.',
  input: hostRefInput.extend({
    zone: z.string().optional().describe('Its zone: hosts that fail together; an empty text for none'),
    label: z
      .record(z.string(), z.string())
      .default({})
      .describe('Labels to add or change, such as disk=ssd; disk= takes the label away'),
    storage: z
      .record(z.string(), z.union([z.literal(''), z.string().startsWith('/')]))
      .default({})
      .describe(
        'Shared stores by name and where they are mounted, such as nfs1=/srv/shared; nfs1= takes it away',
      ),
    slots: z
      .int()
      .nonnegative()
      .optional()
      .describe('Live migrations, in and out, that it may run at a time'),
    reserve_mib: z.int().nonnegative().optional().describe('Memory in MiB to keep for the host itself'),
    cpu_overcommit: z.number().min(0.1).optional().describe('vCPUs to place for each of its CPUs'),
    reserved: z.boolean().optional().describe('Keep it free for what is evacuated from lost hosts'),
    control_plane: z
      .boolean()
      .optional()
      .describe('It runs Temporal, the inventory or drover itself: it is never fenced'),
  }),
  errors: [],
  undone: 'Nothing: it is one change of the inventory, made whole or not at all.',
  async run({ host, label, ...settings }, ctx) {
    const { was } = await ctx.call('setHost', {
      host,
      settings: { ...settings, labels: label },
      request: ctx.request,
    });
    return { host, was };
  },
});
