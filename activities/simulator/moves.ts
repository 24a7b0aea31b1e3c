/** Whether a live migration can begin, in the words in which libvirt refuses one. */
import type { Move } from '../hypervisor/port.js';
import type { Tx } from './database.js';
import { fileOn, storeOf } from './files.js';
import { disksOf, freeMemory, guestOn, isOn, type GuestRow } from './guests.js';
import { areConnected, findHost, type HostRow } from './hosts.js';
import { refusalOfMachine } from './machine.js';
import { activeMigration } from './migration-rows.js';
import { beginMigration } from './migrations.js';

/** Begins the migration; answers its id, or why it can't be. */
export function tryMove(
  tx: Tx,
  source: HostRow,
  target: string,
  move: Move,
): { id: number } | { refused: string } {
  const guest = guestOn(tx, source.name, move.id);
  if (guest === undefined) return { refused: `Domain not found: no domain with matching uuid '${move.id}'` };
  const there = findHost(tx, target);
  const refused = refusalAtSource(tx, guest) ?? refusalAtTarget(tx, source, there, guest, move.copy);
  if (refused !== null) return { refused };
  const copied = disksOf(guest).filter((disk) => move.copy.includes(disk.target));
  const files = copied.map((disk) => fileOn(tx, source.name, disk.path));
  comeIn(tx, target, guest);
  const id = beginMigration(tx, guest, {
    target,
    cap: move.bandwidthMiBs === null ? null : move.bandwidthMiBs * 1024 ** 2,
    copies: copied.map((disk) => disk.path),
    diskBytes: files.reduce((sum, file) => sum + (file?.bytes ?? 0), 0),
    autoConverge: move.autoConverge === true,
    postCopy: move.postCopy === true,
  });
  return { id };
}

function refusalAtSource(tx: Tx, guest: GuestRow): string | null {
  if (!isOn(guest)) return 'Requested operation is not valid: domain is not running';
  if (activeMigration(tx, guest.id) !== undefined)
    return `another migration job is already running for domain '${guest.name}'`;
  if (guest.power === 'migrating') return 'Requested operation is not valid: domain is not running';
  if (guest.other_job !== null) {
    return 'Timed out during operation: cannot acquire state change lock (held by monitor=remoteDispatchDomainBackupBegin)';
  }
  if (guest.snapshots > 0)
    return `Requested operation is not valid: cannot migrate domain with ${guest.snapshots} snapshots`;
  return null;
}

function refusalAtTarget(
  tx: Tx,
  source: HostRow,
  target: HostRow | undefined,
  guest: GuestRow,
  copy: readonly string[],
): string | null {
  const connect = `unable to connect to server at '${target?.name ?? 'unknown'}:16509'`;
  if (
    target === undefined ||
    target.power !== 'on' ||
    target.hung === 1 ||
    target.daemon === 2 ||
    !areConnected(tx, source, target)
  ) {
    return `${connect}: No route to host`;
  }
  if (target.daemon === 0) return `${connect}: Connection refused`;
  if (target.name === source.name)
    return `internal error: Attempt to migrate guest to the same host ${target.system_uuid}`;
  const namesake = tx.one<GuestRow>(
    'select * from guests where host = ? and name = ?',
    target.name,
    guest.name,
  );
  if (namesake !== undefined && namesake.id !== guest.id) {
    return `operation failed: domain '${guest.name}' already exists with uuid ${namesake.id}`;
  }
  if (namesake !== undefined && isOn(namesake))
    return `Requested operation is not valid: domain '${guest.name}' is already active as '${guest.name}'`;
  return (
    refusalOfMachine(source, target, guest) ??
    refusalOfDisks(tx, source, target, guest, copy) ??
    refusalOfMemory(tx, target, guest)
  );
}

function refusalOfDisks(
  tx: Tx,
  source: HostRow,
  target: HostRow,
  guest: GuestRow,
  copy: readonly string[],
): string | null {
  for (const disk of disksOf(guest)) {
    const here = fileOn(tx, source.name, disk.path);
    const there = fileOn(tx, target.name, disk.path);
    const shared = storeOf(tx, source.name, disk.path) === storeOf(tx, target.name, disk.path);
    if (copy.includes(disk.target)) {
      if (shared)
        return `internal error: unable to execute QEMU command 'nbd-server-add': Failed to get "write" lock`;
      if (there === undefined) {
        return `Storage pool not found: no storage pool with matching target path '${directoryOf(disk.path)}'`;
      }
      if (there.bytes !== here?.bytes) return 'internal error: Source and target image have different sizes';
    } else if (!disk.readonly && !shared) {
      return 'Unsafe migration: Migration without shared storage is unsafe';
    } else if (there === undefined) {
      return `Cannot access storage file '${disk.path}': No such file or directory`;
    }
  }
  return null;
}

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

function refusalOfMemory(tx: Tx, target: HostRow, guest: GuestRow): string | null {
  return freeMemory(tx, target.name, target.memory_mib) < guest.memory_mib
    ? `internal error: qemu unexpectedly closed the monitor: cannot set up guest memory 'pc.ram': Cannot allocate memory`
    : null;
}

/** The half of the guest on the target: it stands still until it has all. */
function comeIn(tx: Tx, target: string, guest: GuestRow): void {
  const old = guestOn(tx, target, guest.id);
  if (old !== undefined) {
    // The definition of an earlier stay is kept until the guest has come.
    tx.run(
      `update guests set power = 'migrating', reason = 'migrating', disks = ? where host = ? and id = ?`,
      guest.disks,
      target,
      guest.id,
    );
    return;
  }
  tx.run(
    `insert into guests (host, id, name, power, reason, persistent, vcpus, memory_mib, disks, serial_log, dirty, obeys, cpu_mode, networks)
     values (?, ?, ?, 'migrating', 'migrating', 0, ?, ?, ?, ?, ?, ?, ?, ?)`,
    target,
    guest.id,
    guest.name,
    guest.vcpus,
    guest.memory_mib,
    guest.disks,
    guest.serial_log,
    guest.dirty,
    guest.obeys,
    guest.cpu_mode,
    guest.networks,
  );
}
