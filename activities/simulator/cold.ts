/** Definitions of guests that are off, copied from host to host as libvirt does it offline. */
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Tx } from './database.js';
import { guestOn, isOn, type GuestRow } from './guests.js';
import { areConnected, findHost, type HostRow } from './hosts.js';

export function definitionToCopy(tx: Tx, host: HostRef, at: HostRow, id: string): GuestRow {
  const guest = guestOn(tx, at.name, id);
  if (guest === undefined) {
    throw new DroverError('NotFound', `${host.name} has no guest ${id}`, { details: { host: host.name } });
  }
  refuseOn(guest, host);
  if (guest.managed_save === 1) {
    throw refusal(host, `${guest.name} has a saved memory image, which would stay behind`);
  }
  if (guest.snapshots > 0) {
    const what = `cannot migrate domain with ${guest.snapshots} snapshots`;
    throw refusal(host, `Requested operation is not valid: ${what}`);
  }
  return guest;
}

/** The source brings it, so that the two must reach each other. */
export function takeDefinition(tx: Tx, host: HostRef, at: HostRow, guest: GuestRow): void {
  const source = findHost(tx, guest.host);
  if (source === undefined || !areConnected(tx, source, at)) {
    throw refusal(host, `unable to connect to server at '${at.name}:16509': No route to host`);
  }
  const before = guestOn(tx, at.name, guest.id);
  if (before !== undefined) refuseOn(before, host);
  const namesake = tx.one<{ id: string }>(
    'select id from guests where host = ? and name = ?',
    at.name,
    guest.name,
  );
  if (namesake !== undefined && namesake.id !== guest.id) {
    throw refusal(host, `operation failed: domain '${guest.name}' already exists with uuid ${namesake.id}`);
  }
  if (before !== undefined) tx.run('delete from guests where host = ? and id = ?', at.name, guest.id);
  tx.run(
    `insert into guests (host, id, name, power, reason, persistent, vcpus, memory_mib, disks, serial_log,
       stamp_operation, stamp_epoch, dirty, obeys, cpu_mode, networks)
     values (?, ?, ?, 'shutoff', 'unknown', 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    at.name,
    guest.id,
    guest.name,
    guest.vcpus,
    guest.memory_mib,
    guest.disks,
    guest.serial_log,
    guest.stamp_operation,
    guest.stamp_epoch,
    guest.dirty,
    guest.obeys,
    guest.cpu_mode,
    guest.networks,
  );
}

export function refuseOn(guest: GuestRow, host: HostRef): void {
  if (isOn(guest)) throw refusal(host, `${guest.name} is ${guest.power}; it must be off`);
}

const refusal = (host: HostRef, why: string): DroverError =>
  new DroverError('HypervisorError', `${host.name}: ${why}`, { details: { host: host.name } });
