import type { Saved } from '../../model/instance.js';
import { intent } from '../ctx.js';
import { defineOperation } from '../define.js';
import { instanceRef } from '../inputs.js';
import { diskStamps } from './steps/disk-stamps.js';

export const suspend = defineOperation({
  name: 'suspend',
  summary: 'Save the memory of an instance on its host and turn it off; it survives a reboot of the host.',
  input: instanceRef,
  allowedStates: ['active'],
  endsIn: ['suspended'],
  errors: ['HostWorkerMissing', 'DiskError'],
  undone: 'The save is aborted, or its memory restored: the guest goes on.',
  doing: 'suspending',
  needs: 'suspend',
  async run(_input, ctx) {
    const { id, name, disks } = ctx.instance;
    const host = await ctx.host();
    const guest = { instance: id, name, host };
    // Whoever can't tell of its disks must not be found missing while the guest stands still.
    await diskStamps(ctx, disks, host);
    ctx.phase('saving', `save its memory on ${host.name}`);
    await ctx.call('saveGuest', guest, {
      undo: intent(
        'undoSave',
        guest,
        `the memory of ${name} may be saved on ${host.name}, and the guest off`,
      ),
    });
    // Only now: what the guest wrote last is in them.
    const saved: Saved = {
      host: host.name,
      at: new Date(ctx.now()).toISOString(),
      disks: await diskStamps(ctx, disks, host),
    };
    return { patch: { state: 'suspended', powerState: 'shutoff', saved }, result: { host: host.name } };
  },
});
