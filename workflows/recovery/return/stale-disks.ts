/** Disks that are left on a host that came back, of instances that have gone on with their own elsewhere. */
import type { ListedFiles, PerhapsStale } from '../../../activities/types.js';
import type { SeenFile } from '../../../model/audit.js';
import type { HostRef } from '../../../model/host.js';
import type { HostCtx } from '../../ctx.js';
import { asDroverError } from '../../unwind.js';
import { removeKept } from './kept-disks.js';

/** `left`: what is there still, as sentences. */
export async function staleDisks(
  host: HostRef,
  { remove }: { remove: boolean },
  ctx: HostCtx,
): Promise<{ left: string[]; says: string[] }> {
  ctx.phase('looking for old disks');
  const { kept = [], ...places } = await ctx.call('diskPlaces', { host: host.name });
  const files = await list(host, places, ctx);
  if (files === null) {
    const says = `nobody looked for old disks on ${host.name}, since no worker runs there: drover audit inventory does once one does`;
    return { left: [], says: [says] };
  }
  const owed = await removeKept(host, kept, ctx);
  const here = new Map(filesOf(files).map((file) => [file.path, file]));
  const { disks } = await ctx.call('perhapsStale', { host: host.name, found: [...here.keys()] });
  const copies = await onlyCopies(disks, here, ctx);
  const left: string[] = [];
  const gone: string[] = [];
  for (const { disk, says } of copies) {
    const why = says ?? (remove ? await removed(host, disk, ctx) : null);
    if (remove && why === null) gone.push(disk.path);
    else
      left.push(
        `${disk.path} of ${disk.name}, which is on ${disk.other.name}${why === null ? '' : ` (${why})`}`,
      );
  }
  return {
    left,
    says: [
      ...owed,
      ...(gone.length === 0 ? [] : [`old disks removed: ${gone.join(', ')}`]),
      ...(left.length === 0 ? [] : [`old disks left: ${left.join(', ')}`]),
    ],
  };
}

/** Null once it is gone; else why it stays, which keeps no host from its work. */
async function removed(
  host: HostRef,
  { instance, path }: PerhapsStale,
  ctx: HostCtx,
): Promise<string | null> {
  const { request } = ctx;
  try {
    const { owner } = await ctx.call('claimStaleDisk', { host: host.name, instance, path, request });
    await ctx.call('removeDisk', { instance, path }, { on: host, owner });
    return null;
  } catch (cause) {
    const error = asDroverError(cause);
    if (error.code === 'Cancelled') throw error;
    return error.message;
  }
}

interface Copy {
  disk: PerhapsStale;
  /** Why it is only named; null for what is certainly a copy of its own. */
  says: string | null;
}

/** The same file is shared storage, and no copy; where nobody can tell it is named, and stays. */
async function onlyCopies(
  disks: readonly PerhapsStale[],
  here: ReadonlyMap<string, SeenFile>,
  ctx: HostCtx,
): Promise<Copy[]> {
  const copies: Copy[] = [];
  const hosts = new Map(disks.map(({ other }) => [other.name, other]));
  for (const other of hosts.values()) {
    const of = disks.filter((disk) => disk.other.name === other.name);
    const paths = of.map(({ path }) => path);
    const files = await list(other, { directories: [], disks: paths }, ctx);
    const there = new Map(files === null ? [] : filesOf(files).map((file) => [file.path, file.inode]));
    for (const disk of of) {
      const inode = there.get(disk.path);
      if (inode === here.get(disk.path)?.inode) continue;
      const says = inode === undefined ? 'whether they share it, nobody could tell' : null;
      copies.push({ disk, says });
    }
  }
  return copies;
}

async function list(
  host: HostRef,
  { directories, disks }: { directories: string[]; disks: string[] },
  ctx: HostCtx,
): Promise<ListedFiles | null> {
  try {
    return await ctx.call('listFiles', { directories, disks, full: true }, { on: host });
  } catch (cause) {
    const error = asDroverError(cause);
    if (error.code !== 'HostWorkerMissing') throw error;
    return null;
  }
}

const filesOf = ({ directories, made, disks }: ListedFiles): SeenFile[] => [
  ...directories.flatMap(({ files }) => files ?? []),
  ...made,
  ...disks,
];
