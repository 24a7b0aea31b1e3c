import type { HostRef } from '../../../model/host.js';
import type { Disk, Saved } from '../../../model/instance.js';
import type { Ctx } from '../../ctx.js';

/** What can be told of each disk that the guest writes: saved memory is of no use once it has changed. */
export async function diskStamps(ctx: Ctx, disks: readonly Disk[], on: HostRef): Promise<Saved['disks']> {
  const stamps: Saved['disks'] = [];
  for (const { path, format, readonly } of disks) {
    if (readonly) continue;
    const { bytes, modifiedAt } = await ctx.call('diskFacts', { path, format }, { on });
    stamps.push({ path, bytes, modifiedAt });
  }
  return stamps;
}
