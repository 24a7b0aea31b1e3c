import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Call, MigrateInput } from '../types.js';
import { ownerOf, refuseStale } from './guard.js';
import type { GuestView, Hypervisor, JobView } from './port.js';
import type { Sides } from './verdict.js';

/**
 * What must hold before a migration starts, told in drover's words before the hypervisor fails over it in
 * its own, half-way. The guest is known to run on the source; `busyWith` is a job of it that does
 * not move it.
 */
export async function prepare(
  hypervisor: Hypervisor,
  input: MigrateInput,
  sides: Sides,
  call: Call,
  busyWith: JobView | null,
): Promise<void> {
  const { name, source, target } = input;
  const owner = ownerOf(call);
  if (!sides.source.answered || !sides.target.answered || sides.source.view === null) return;
  const view = sides.source.view;
  refuseStale(view, owner);
  if (busyWith !== null) {
    // The hypervisor would wait 30 s for its end, and then fail over a lock that says nothing to most people.
    throw new DroverError(
      'WrongState',
      `${name} has a running job on ${source.name}: ${busyWith.operation}`,
      {
        hint: `wait until it is over, or end it with: virsh domjobabort ${input.instance}`,
      },
    );
  }
  if (input.copy.length > 0 && !hypervisor.capabilities.has('blockMigration')) {
    throw new DroverError('Unsupported', 'the hypervisor cannot copy disks while it migrates');
  }
  refuseWhatStaysBehind(view, source);
  refuseOtherDisks(input, view);
  await clearTarget(hypervisor, input, sides.target.view);
  const stamped = view.stamp?.operation === owner.operation && view.stamp.epoch === owner.epoch;
  await Promise.all([
    refuseNamesake(hypervisor, target, view),
    stamped ? undefined : hypervisor.stamp(source, view, owner),
  ]);
}

/** What a move would lose, or leave behind to do harm: whether the guest runs meanwhile or is off. */
export function refuseWhatStaysBehind(view: GuestView, source: HostRef): void {
  const { name, id: instance } = view;
  if (!view.persistent) {
    throw new DroverError(
      'Unsupported',
      `${name} has no stored definition on ${source.name}, so it would be lost at its next stop`,
    );
  }
  if (view.managedSave) {
    // libvirt leaves that image behind and would restore the old memory over the newer disk later on.
    throw new DroverError(
      'Unsupported',
      `${name} has a saved memory image on ${source.name}, which would stay behind`,
      {
        hint: `resume the guest from it, or remove it with: virsh managedsave-remove ${instance}`,
      },
    );
  }
  if (view.snapshots > 0) {
    throw new DroverError(
      'Unsupported',
      `${name} has ${view.snapshots} snapshots on ${source.name}; a guest with snapshots cannot be migrated`,
      {
        hint: 'delete the snapshots that the hypervisor keeps of it',
      },
    );
  }
  if (view.checkpoints > 0) {
    // The move would succeed and lose them, and the next incremental backup with them.
    throw new DroverError(
      'Unsupported',
      `${name} has ${view.checkpoints} checkpoints on ${source.name}, which would be lost`,
      {
        hint: `delete each with: virsh checkpoint-delete ${instance} NAME (the next backup is a full one then)`,
      },
    );
  }
}

export function refuseOtherDisks(
  {
    name,
    instance,
    source,
    copy,
    disks,
  }: Pick<MigrateInput, 'name' | 'instance' | 'source' | 'copy' | 'disks'>,
  view: GuestView,
): void {
  for (const disk of copy) {
    const known = view.disks.find((each) => each.target === disk);
    if (known === undefined) throw new DroverError('InvalidInput', `${name} has no disk ${disk} to copy`);
    const recorded = disks.find((each) => each.target === disk);
    // What was recorded is what is prepared, and removed afterwards: by now it may be the base of a snapshot.
    if (recorded !== undefined && recorded.path !== known.path) {
      throw new DroverError(
        'Unsupported',
        `the disk ${disk} of ${name} is ${known.path} on ${source.name}, not ${recorded.path} as recorded`,
        {
          hint: `bring it back to ${recorded.path}, for example with: virsh blockcommit ${instance} ${disk}`,
        },
      );
    }
  }
}

export async function refuseNamesake(
  hypervisor: Hypervisor,
  target: HostRef,
  view: Pick<GuestView, 'id' | 'name'>,
): Promise<void> {
  const there = await hypervisor.names(target);
  const namesake = there.find((other) => other.name === view.name && other.id !== view.id);
  if (namesake !== undefined) {
    throw new DroverError(
      'HypervisorError',
      `${target.name} has another guest named ${view.name} (${namesake.id})`,
      {
        hint: `rename or undefine that guest on ${target.name}, or choose another host`,
      },
    );
  }
}

/** An old definition of the same guest, left by an earlier move, would be in the way: it is off, so it may go. */
async function clearTarget(
  hypervisor: Hypervisor,
  input: MigrateInput,
  stale: GuestView | null,
): Promise<void> {
  if (stale !== null) await hypervisor.undefine(input.target, input.instance);
}
