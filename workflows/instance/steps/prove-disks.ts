import { DroverError } from '../../../model/errors.js';
import type { StorageProof } from '../../../activities/types.js';
import type { HostRef } from '../../../model/host.js';
import type { Ctx } from '../../ctx.js';
import { directoryOf, isShared } from '../probe-storage.js';

/**
 * Throws unless the target has the very disks that the lost host had. That one can't be asked any more; so their place is
 * a store that both declare, or a directory that another host that lives sees as well: a file that lies under the same
 * path on the target's own storage is an old copy. Then each is looked at: it is there, whole, and nobody has it open.
 */
export async function proveDisks(
  ctx: Ctx,
  lost: HostRef,
  target: HostRef,
  { declared, witness }: StorageProof,
): Promise<void> {
  const { disks } = ctx.instance;
  ctx.phase('proving', `has ${target.name} the disks that ${lost.name} had?`);
  const unproven = disks.filter(({ path }) => !declared.includes(path));
  for (const directory of new Set(unproven.map(({ path }) => directoryOf(path)))) {
    if (witness === null || !(await isShared(ctx, directory, target, witness)))
      throw notShared(ctx, directory, { lost, target, witness });
  }
  for (const { path, format, readonly } of disks)
    await ctx.call('diskFacts', { path, format, ...(readonly ? {} : { unused: true }) }, { on: target });
}

function notShared(
  { instance: { name } }: Ctx,
  directory: string,
  { lost, target, witness }: { lost: HostRef; target: HostRef; witness: HostRef | null },
): DroverError {
  const why =
    witness === null
      ? `there is no third host to prove with that ${directory} of ${target.name} is shared`
      : `${directory} of ${target.name} is its own: ${witness.name} does not see it`;
  return new DroverError(
    'DiskNotShared',
    `the disk of ${name} was on ${lost.name}, and nothing proves that ${target.name} has it: ${why}`,
    {
      details: { lost: lost.name, target: target.name, witness: witness?.name ?? null, directory },
      hint:
        `where it is on shared storage say so: drover host set HOST --storage NAME=${directory}; ` +
        `a disk of ${lost.name}'s own comes back with that host, or the instance is rebuilt from a backup`,
    },
  );
}
