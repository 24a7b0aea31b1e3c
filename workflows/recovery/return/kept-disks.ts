/** Disks on the host that were to be removed while it was fenced: it does that now, with the checks of every removal. */
import type { KeptDisk } from '../../../activities/types.js';
import type { HostRef } from '../../../model/host.js';
import type { HostCtx } from '../../ctx.js';
import { asDroverError } from '../../unwind.js';

/** Answers sentences. What fails keeps no host from its work: it becomes the janitor's once the host is readmitted. */
export async function removeKept(host: HostRef, kept: readonly KeptDisk[], ctx: HostCtx): Promise<string[]> {
  const gone: string[] = [];
  const left: string[] = [];
  for (const disk of kept) {
    const why = await remove(host, disk, ctx);
    if (why === null) gone.push(disk.path);
    else left.push(`${disk.path} (${why})`);
  }
  return [
    ...(gone.length === 0 ? [] : [`disks removed that had waited for it: ${gone.join(', ')}`]),
    ...(left.length === 0 ? [] : [`disks that had waited for it, and stay: ${left.join(', ')}`]),
  ];
}

async function remove(host: HostRef, kept: KeptDisk, ctx: HostCtx): Promise<string | null> {
  const { instance, path, operation, seq, onlyIfMade } = kept;
  const { request } = ctx;
  try {
    const claimed = await ctx.call('claimKeptDisk', { host: host.name, kept, request });
    if ('stays' in claimed) return claimed.stays;
    const made = onlyIfMade ? { onlyIfMade } : {};
    await ctx.call('removeDisk', { instance, path, ...made }, { on: host, owner: claimed.owner });
    await ctx.call('closeKeptDisk', { operation, seq });
    return null;
  } catch (cause) {
    const error = asDroverError(cause);
    if (error.code === 'Cancelled') throw error;
    return error.message;
  }
}
