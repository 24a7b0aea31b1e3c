import type { HostRef } from '../../model/host.js';
import type { Disk } from '../../model/instance.js';
import type { Ctx } from '../ctx.js';
import { intent } from '../ctx.js';

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

/**
 * Answers the disks that the two hosts do not share. Proven and not believed: the source writes a nonce into
 * the disk's directory and the target looks for it.
 */
export async function probeStorage(
  ctx: Ctx,
  disks: Disk[],
  source: HostRef,
  target: HostRef,
): Promise<Disk[]> {
  const shared = new Map<string, boolean>();
  for (const directory of new Set(disks.map((disk) => directoryOf(disk.path)))) {
    const probe = { directory, nonce: ctx.id() };
    await ctx.call('writeProbe', probe, {
      on: source,
      undo: intent(
        'removeProbe',
        probe,
        `the probe file ${probe.nonce} in ${directory} on ${source.name}`,
        source,
      ),
    });
    shared.set(directory, (await ctx.call('readProbe', probe, { on: target })).shared);
    await ctx.call('removeProbe', probe, { on: source });
  }
  return disks.filter((disk) => shared.get(directoryOf(disk.path)) === false);
}
