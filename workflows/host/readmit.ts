import { z } from 'zod';
import { durationSchema } from '../../model/duration.js';
import { defineHostOperation } from '../define.js';
import { hostRefInput, seconds } from '../inputs.js';
import { clean } from '../recovery/return/clean.js';
import { staleDisks } from '../recovery/return/stale-disks.js';
import { moveBack, repairThere } from '../recovery/return/after.js';
import { powerOn } from '../recovery/return/power-on.js';

export const readmit = defineHostOperation({
  name: 'readmit',
  summary:
    'Take a fenced host back: what its guests left there is removed and proven gone before it may take instances.',
  input: hostRefInput.extend({
    power_on: z.boolean().default(false).describe('Have its fence devices give it its power back first'),
    wait: durationSchema.default('10m').describe('How long it may take to answer, for example 10m'),
    remove_stale_disks: z
      .boolean()
      .default(false)
      .describe('Remove old local copies of disks whose instances are elsewhere; else they are only named'),
    move_back: z
      .boolean()
      .default(false)
      .describe('Then live-migrate back what was evacuated from it and runs'),
  }),
  errors: [
    'WrongState',
    'HostReplaced',
    'TimedOut',
    'FencingFailed',
    'HypervisorError',
    'HypervisorUnreachable',
    'HostWorkerMissing',
    'DiskError',
  ],
  undone:
    'Nothing: what it removes is of no use anywhere. One that ends before the host is proven clean leaves it quarantined, and can be repeated.',
  takesTime: true,
  async run({ host, power_on, wait, remove_stale_disks, move_back }, ctx) {
    const { request } = ctx;
    const ref = await ctx.call('getHost', { host });
    const { before } = await ctx.call('beginReadmission', { host, request });
    if (power_on && before === null) {
      // Before it has its power: from then on nothing proves any more that it is off.
      await ctx.call('releaseFence', { host, request });
      await powerOn(ref, ctx);
    }
    ctx.phase('waiting', `for at most ${wait}, until it answers`);
    await ctx.call('awaitReturn', { host: ref, seconds: seconds(wait) });
    await ctx.call('releaseFence', { host, request });
    const cleaned = await clean(ref, ctx);
    const disks = await staleDisks(ref, { remove: remove_stale_disks }, ctx);
    ctx.phase('proven clean', 'the fence is taken off');
    // The point of no return: from here on it is a host like any other.
    const done = await ctx.call('closeReadmission', {
      host,
      request,
      seen: cleaned.here.map(({ instance, power }) => ({ instance, power })),
      says: [...cleaned.says, ...disks.says],
    });
    const repaired = await repairThere(cleaned.here, ctx);
    const moved = move_back && done.enabled ? await moveBack(host, done.evacuated, ctx) : null;
    return {
      host,
      enabled: done.enabled,
      note: [done.says, ...cleaned.says, ...disks.says, ...repaired].join('; '),
      removed: cleaned.removed,
      ended: cleaned.ended,
      kept: cleaned.here.map(({ name }) => name),
      unknown: cleaned.unknown,
      stale_disks: disks.left,
      released: done.released,
      ...moved,
    };
  },
});
