import { z } from 'zod';
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Ctx } from '../ctx.js';
import { defineOperation } from '../define.js';
import { instanceRef } from '../inputs.js';
import { diskStamps } from './steps/disk-stamps.js';

export const resume = defineOperation({
  name: 'resume',
  summary: 'Let a suspended instance go on from its saved memory.',
  input: instanceRef.extend({
    discard_memory: z.boolean().default(false).describe('Throw its saved memory away and boot it'),
  }),
  allowedStates: ['suspended'],
  endsIn: ['active'],
  errors: ['StaleSavedState', 'HostWorkerMissing', 'DiskError'],
  undone: 'Nothing: a guest that goes on runs on; refused before, it stays suspended.',
  doing: 'resuming',
  needs: 'suspend',
  async run({ discard_memory: discard }, ctx) {
    const host = await ctx.host();
    const guest = { instance: ctx.instance.id, name: ctx.instance.name, host };
    if (discard) {
      ctx.phase('starting', `boot on ${host.name} without its saved memory`);
      // A start throws away what is saved.
      const { power } = await ctx.call('startGuest', guest);
      return { patch: { state: 'active', powerState: power }, result: { memory: 'discarded' } };
    }
    ctx.phase('checking', 'are its disks as they were when its memory was saved?');
    await refuseStale(ctx, host);
    ctx.phase('restoring', `restore its memory on ${host.name}`);
    const { memory } = await ctx.call('restoreGuest', guest);
    return { patch: { state: 'active', powerState: 'running' }, result: { memory } };
  },
});

/** Old memory over a newer disk: the guest would write what it remembers over what is there, and destroy it. */
async function refuseStale(ctx: Ctx, host: HostRef): Promise<void> {
  const { name, saved, disks } = ctx.instance;
  const hint = `boot it without that memory: drover instance resume ${name} --discard-memory (start, where it is told as stopped)`;
  if (saved === null) {
    const message = `the memory of ${name} was not saved by drover: whether it fits its disks can't be told`;
    throw new DroverError('StaleSavedState', message, { hint });
  }
  const now = new Map((await diskStamps(ctx, disks, host)).map((disk) => [disk.path, disk]));
  for (const then of saved.disks) {
    const found = now.get(then.path);
    if (found?.modifiedAt === then.modifiedAt && found.bytes === then.bytes) continue;
    const what = found === undefined ? 'is no disk of it any more' : `was changed at ${found.modifiedAt}`;
    throw new DroverError(
      'StaleSavedState',
      `${then.path} ${what}; the memory of ${name} was saved at ${saved.at}, with that disk as of ${then.modifiedAt}: ` +
        'restoring old memory over a newer disk destroys it',
      { details: { disk: then.path, was: then, is: found ?? null }, hint },
    );
  }
}
