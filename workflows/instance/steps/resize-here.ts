import type { HostRef } from '../../../model/host.js';
import type { Disk } from '../../../model/instance.js';
import { intent, type Ctx } from '../../ctx.js';

export interface Sizes {
  vcpus: number;
  memoryMiB: number;
}

/** Gives the guest that is off another size on this host; undone, it has the one before. */
export async function resizeHere(ctx: Ctx, host: HostRef, sizes: { from: Sizes; to: Sizes }): Promise<void> {
  const guest = { instance: ctx.instance.id, name: ctx.instance.name, host };
  const { from, to } = sizes;
  ctx.phase('resizing', `${to.vcpus} vCPUs and ${to.memoryMiB} MiB on ${host.name}`);
  await ctx.call(
    'resizeDefinition',
    { ...guest, vcpus: to.vcpus, memoryMiB: to.memoryMiB },
    {
      undo: intent(
        'resizeDefinition',
        { ...guest, vcpus: from.vcpus, memoryMiB: from.memoryMiB },
        `the old size of ${guest.name} on ${host.name}`,
      ),
    },
  );
}

/** No undo: a disk is never made smaller, since nobody knows what the guest has written there. */
export async function growDisk(ctx: Ctx, host: HostRef, disk: Disk, bytes: number): Promise<boolean> {
  const { path, format } = disk;
  ctx.phase('growing', `${path} to ${bytes} bytes`);
  const { grew } = await ctx.call(
    'growDisk',
    { instance: ctx.instance.id, path, format, bytes },
    { on: host },
  );
  return grew;
}
