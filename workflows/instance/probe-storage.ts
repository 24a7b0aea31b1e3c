import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Disk } from '../../model/instance.js';
import type { IntentCall } from '../../model/operation.js';
import type { Ctx } from '../ctx.js';
import { intent } from '../ctx.js';

export const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

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
  for (const directory of new Set(disks.map((disk) => directoryOf(disk.path))))
    shared.set(directory, await isShared(ctx, directory, source, target));
  return disks.filter((disk) => shared.get(directoryOf(disk.path)) === false);
}

/** Whether what one host writes into a directory the other one sees there. */
export async function isShared(
  ctx: Ctx,
  directory: string,
  writer: HostRef,
  reader: HostRef,
): Promise<boolean> {
  const probe = { directory, nonce: ctx.id() };
  await ctx.call('writeProbe', probe, {
    on: writer,
    undo: removal(probe, writer),
  });
  const { shared } = await ctx.call('readProbe', probe, { on: reader });
  await ctx.call('removeProbe', probe, { on: writer });
  return shared;
}

/** Takes back what `writeProbe` wrote. */
export const removal = (probe: { directory: string; nonce: string }, writer: HostRef): IntentCall =>
  intent(
    'removeProbe',
    probe,
    `the probe file ${probe.nonce} in ${probe.directory} on ${writer.name}`,
    writer,
  );

/** What was declared is believed for the choice of a host only: the probe has the last word. */
export function refuseCopies(local: readonly Disk[], source: HostRef, target: HostRef): void {
  if (local.length === 0) return;
  const paths = local.map(({ path }) => path).join(', ');
  throw new DroverError('NoValidHost', `${source.name} and ${target.name} do not share ${paths}`, {
    details: { source: source.name, target: target.name, disks: local.map(({ path }) => path) },
    hint: 'mount the store on both, correct it with `drover host set`, or leave `--storage shared` out to have it copied',
  });
}
