import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Owner } from '../../model/operation.js';
import type { GuestSpec } from '../hypervisor/port.js';
import type { Tx } from './database.js';
import { copiesOf, guestOn, isOn, readDefinition } from './guests.js';
import type { HostRow } from './hosts.js';

/** What an ordinary guest writes: 20 MiB of memory per second. */
export const defaultDirty = 20 * 1024 ** 2;

export const serialLogOf = (name: string): string => `/var/log/libvirt/qemu/${name}.serial`;

/** Stores the definition; that of a guest that runs is left alone. */
export function define(tx: Tx, host: HostRef, at: HostRow, spec: GuestSpec, stamp: Owner): void {
  const before = guestOn(tx, at.name, spec.id);
  if (before !== undefined && isOn(before)) return;
  const namesake = tx.one<{ id: string }>(
    'select id from guests where host = ? and name = ?',
    at.name,
    spec.name,
  );
  if (namesake !== undefined && namesake.id !== spec.id) {
    const why = `operation failed: domain '${spec.name}' already exists with uuid ${namesake.id}`;
    throw new DroverError('HypervisorError', `${host.name}: ${why}`, { details: { host: host.name } });
  }
  tx.run(
    `insert into guests (host, id, name, power, reason, persistent, vcpus, memory_mib, disks, serial_log,
       stamp_operation, stamp_epoch, dirty, networks)
     values (?, ?, ?, 'shutoff', 'unknown', 1, ?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (host, id) do update set name = excluded.name, vcpus = excluded.vcpus,
       memory_mib = excluded.memory_mib, disks = excluded.disks, serial_log = excluded.serial_log, networks = excluded.networks,
       stamp_operation = excluded.stamp_operation, stamp_epoch = excluded.stamp_epoch`,
    at.name,
    spec.id,
    spec.name,
    spec.vcpus,
    spec.memoryMiB,
    JSON.stringify(spec.disks),
    serialLogOf(spec.name),
    stamp.operation,
    stamp.epoch,
    defaultDirty,
    JSON.stringify(spec.bridges),
  );
}

/** A definition of another host; what an earlier stay left of it here goes first. */
export function defineFrom(
  tx: Tx,
  host: HostRef,
  at: HostRow,
  { id, definition, stamp }: { id: string; definition: string; stamp: Owner },
): void {
  const its = readDefinition(definition);
  if (its.id !== id)
    throw new DroverError('InvalidInput', `the definition is that of ${its.name} (${its.id}), not of ${id}`);
  const before = guestOn(tx, at.name, id);
  if (before !== undefined && isOn(before)) return;
  // How it behaves is in its disk, not in its definition.
  const nature = copiesOf(tx, id)[0] ?? { dirty: defaultDirty, obeys: 1 };
  tx.run('delete from guests where host = ? and id = ?', at.name, id);
  const { name, vcpus, memory_mib: memoryMiB, disks, networks: bridges } = its;
  define(tx, host, at, { id, name, vcpus, memoryMiB, disks, bridges }, stamp);
  tx.run(
    'update guests set serial_log = ?, cpu_mode = ?, dirty = ?, obeys = ? where host = ? and id = ?',
    its.serial_log,
    its.cpu_mode,
    nature.dirty,
    nature.obeys,
    at.name,
    id,
  );
}
