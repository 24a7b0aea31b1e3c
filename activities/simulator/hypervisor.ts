import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import {
  incomingJob,
  type Capability,
  type CompletedMigration,
  type GuestPower,
  type Hypervisor,
  type JobView,
} from '../hypervisor/port.js';
import type { Tx } from './database.js';
import type { Datacenter } from './datacenter.js';
import { definitionToCopy, refuseOn, takeDefinition } from './cold.js';
import { define, defineFrom } from './define.js';
import {
  bootGuest,
  endGuest,
  freeMemory,
  guestOn,
  guestsOn,
  isOn,
  pressButton,
  setPower,
  viewOf,
  type GuestRow,
} from './guests.js';
import type { HostRow } from './hosts.js';
import { cpuOf, networksOf } from './machine.js';
import { follow } from './follow.js';
import { fail } from './migration-ends.js';
import { activeMigration } from './migration-rows.js';
import { change as setMigration, jobView, reconsiderAt } from './migrations.js';
import { isPostCopy } from './post-copy.js';
import { checked, found, steering } from './steering.js';
import { callHost, hostOf } from './reach.js';
import { isSavedUnknown, abortSave, beginSave, followSave, restoreGuest } from './save.js';
import { watchGuests } from './watch.js';

const probeMs = 5_000;
const readMs = 8_000;
const changeMs = 60_000;

export const simulatorCapabilities: readonly Capability[] = [
  'launch',
  'pause',
  'suspend',
  'liveMigration',
  'coldMigration',
  'blockMigration',
];

/** The hypervisor port over a simulated datacenter, as libvirt was seen to behave. */
export function createSimulatedHypervisor(datacenter: Datacenter): Hypervisor {
  const read = <T>(host: HostRef, name: string, work: (tx: Tx, at: HostRow) => T, limitMs = readMs) =>
    callHost(datacenter, host, { name, limitMs }, work);
  const change = <T>(host: HostRef, name: string, work: (tx: Tx, at: HostRow) => T) =>
    callHost(datacenter, host, { name, limitMs: changeMs }, work);

  /** A change of a guest that is there and is not being moved. */
  const changeGuest = (host: HostRef, name: string, id: string, work: (tx: Tx, guest: GuestRow) => void) =>
    change(host, name, (tx, at) => {
      const guest = found(tx, host, at, id);
      if (guest.power === 'migrating') throw busy(host, guest, name);
      work(tx, guest);
    });

  return {
    capabilities: new Set(simulatorCapabilities),

    facts: (host) =>
      read(
        host,
        'facts',
        (_tx, at) => ({
          hostname: at.name,
          systemUuid: at.system_uuid,
          vcpus: at.vcpus,
          memoryMiB: at.memory_mib,
          hypervisor: 'simulated',
          cpu: cpuOf(at),
          networks: networksOf(at),
        }),
        probeMs,
      ),
    list: (host) => read(host, 'list', (tx, at) => guestsOn(tx, at.name).map(viewOf)),
    names: (host) =>
      read(host, 'names', (tx, at) =>
        tx.all<{ id: string; name: string }>(
          'select id, name from guests where host = ? order by name',
          at.name,
        ),
      ),
    powers: (host) =>
      read(host, 'powers', (tx, at) =>
        tx.all<GuestPower>('select id, power from guests where host = ?', at.name),
      ),
    watch: (host, tell, signal) => watchGuests(datacenter, host, tell, signal),
    async look(host, id) {
      checked(id);
      return read(host, 'look', (tx, at) => {
        const row = guestOn(tx, at.name, id);
        return row === undefined ? null : viewOf(row);
      });
    },

    async define(host, spec, stamp) {
      checked(spec.id);
      return change(host, 'define', (tx, at) => define(tx, host, at, spec, stamp));
    },
    defineFrom: (host, id, definition, stamp) =>
      change(host, 'defineFrom', (tx, at) => defineFrom(tx, host, at, { id, definition, stamp })),
    stamp: (host, view, stamp) =>
      change(host, 'stamp', (tx, at) => {
        found(tx, host, at, view.id);
        if (activeMigration(tx, view.id) !== undefined) {
          const why = 'Timed out during operation: cannot acquire state change lock';
          throw new DroverError('HypervisorError', `${host.name}: ${why}`, { details: { host: host.name } });
        }
        tx.run(
          'update guests set stamp_operation = ?, stamp_epoch = ? where host = ? and id = ?',
          stamp.operation,
          stamp.epoch,
          at.name,
          view.id,
        );
      }),

    start: (host, id) =>
      change(host, 'start', (tx, at) => {
        const guest = found(tx, host, at, id);
        if (guest.power === 'migrating') throw busy(host, guest, 'start');
        if (isOn(guest)) return;
        refuseFull(tx, host, at, guest);
        bootGuest(tx, at.name, id);
      }),
    async save(host, id) {
      await changeGuest(host, 'save', id, (tx, guest) => {
        if (!isOn(guest)) throw notRunning(host);
        if (guest.other_job === null) beginSave(tx, guest);
      });
      return { ended: followSave(datacenter, hostOf(datacenter, host), id) };
    },
    async restore(host, id) {
      await changeGuest(host, 'restore', id, (tx, guest) => {
        if (isOn(guest)) return;
        const [at] = tx.all<HostRow>('select * from hosts where name = ?', guest.host);
        if (at !== undefined) refuseFull(tx, host, at, guest);
        restoreGuest(tx, host, guest);
      });
      return { ended: Promise.resolve(null) };
    },
    disableAutostart: (host, id) =>
      changeGuest(host, 'disableAutostart', id, (tx, guest) =>
        tx.run('update guests set autostart = 0 where host = ? and id = ?', guest.host, guest.id),
      ),
    requestShutdown: (host, id) =>
      change(host, 'requestShutdown', (tx, at) => pressButton(tx, running(tx, host, at, id), 'down')),
    requestReboot: (host, id) =>
      change(host, 'requestReboot', (tx, at) => pressButton(tx, running(tx, host, at, id), 'reboot')),
    destroy: (host, id) =>
      change(host, 'destroy', (tx, at) => {
        const guest = guestOn(tx, at.name, id);
        if (guest === undefined || !isOn(guest)) return;
        endGuest(tx, guest, 'destroyed');
        // Whichever side of a migration it was, the migration has lost it.
        if (activeMigration(tx, id) !== undefined) reconsiderAt(tx, at.name);
      }),
    pause: (host, id) =>
      changeGuest(host, 'pause', id, (tx, guest) => {
        if (guest.power === 'paused') return;
        if (guest.power !== 'running') throw notRunning(host);
        const migration = activeMigration(tx, id);
        // It stands still only as long as the migration lasts, as on libvirt.
        if (migration === undefined) return setPower(tx, guest.host, id, 'paused', 'user');
        setPower(tx, guest.host, id, 'migrating', 'migrating');
        setMigration(tx, migration, { dirty: 0 });
      }),
    unpause: (host, id) =>
      change(host, 'unpause', (tx, at) => {
        const guest = found(tx, host, at, id);
        if (guest.power === 'running') return;
        const migration = activeMigration(tx, id);
        // What stands still half-way on its source may go on there; on its target it is not whole, and in
        // post-copy it never is.
        const copies = migration?.source === at.name && migration.phase === 'copy';
        const half =
          (migration !== undefined && !copies) || guest.persistent === 0 || isPostCopy(guest.reason);
        if (guest.power === 'migrating' && half) throw busy(host, guest, 'resume');
        if (!isOn(guest)) throw notRunning(host);
        setPower(tx, at.name, id, 'running', 'unpaused');
        if (migration !== undefined) setMigration(tx, migration, { dirty: guest.dirty });
      }),
    undefine: (host, id) =>
      change(host, 'undefine', (tx, at) => {
        const guest = guestOn(tx, at.name, id);
        if (guest === undefined) return;
        if (isOn(guest)) {
          const what = `${guest.name} is ${guest.power}; it must be off to be undefined`;
          throw new DroverError('HypervisorError', `${host.name}: ${what}`, { details: { host: host.name } });
        }
        if (isSavedUnknown(tx, at.name, guest.name)) {
          const why = 'Refusing to undefine while domain managed save image exists';
          throw new DroverError('HypervisorError', `${host.name}: ${why}`, { details: { host: host.name } });
        }
        tx.run('delete from guests where host = ? and id = ?', at.name, id);
      }),

    async copyDefinition(source, target, id) {
      checked(id);
      const from = await read(source, 'copyDefinition', (tx, at) => definitionToCopy(tx, source, at, id));
      await change(target, 'copyDefinition', (tx, at) => takeDefinition(tx, target, at, from));
    },
    resizeDefinition: (host, id, { vcpus, memoryMiB }) =>
      change(host, 'resizeDefinition', (tx, at) => {
        const guest = found(tx, host, at, id);
        refuseOn(guest, host);
        tx.run(
          'update guests set vcpus = ?, memory_mib = ? where host = ? and id = ?',
          vcpus,
          memoryMiB,
          at.name,
          id,
        );
      }),
    async startMigration(move) {
      checked(move.id);
      return { ended: follow(datacenter, move) };
    },
    async job(host, id) {
      checked(id);
      return read(host, 'job', (tx, at) => jobOf(tx, at.name, id));
    },
    abortJob: (host, id) =>
      change(host, 'abortJob', (tx, at) => {
        const migration = activeMigration(tx, id);
        if (migration?.source === at.name && migration.phase === 'copy') {
          fail(tx, migration, 'operation aborted: migration out job: canceled by client', 'half goes');
        } else if (migration?.source === at.name) {
          const why =
            migration.phase === 'switch'
              ? 'operation failed: the migration is switched over and can no longer be aborted'
              : 'Requested operation is not valid: cannot abort migration in post-copy mode';
          throw new DroverError('HypervisorError', `${host.name}: ${why}`, { details: { host: host.name } });
        } else {
          const guest = guestOn(tx, at.name, id);
          if (guest?.other_job === 'save') abortSave(tx, guest);
          else tx.run('update guests set other_job = null where host = ? and id = ?', at.name, id);
        }
      }),
    ...steering(datacenter, change),
    completedMigration: (host, id) =>
      read(host, 'completedMigration', (tx, at) => {
        const completed = guestOn(tx, at.name, id)?.completed ?? null;
        return completed === null ? null : (JSON.parse(completed) as CompletedMigration);
      }),
    consoleCommand(host) {
      throw new DroverError('Unsupported', `${host.name} is simulated: its guests have no console`, {
        hint: 'read what they wrote with `drover instance log`',
      });
    },
  };
}

function jobOf(tx: Tx, host: string, id: string): JobView | null {
  const guest = guestOn(tx, host, id);
  if (guest === undefined || !isOn(guest)) return null;
  if (guest.other_job !== null) return { ...incomingJob, operation: guest.other_job, migrates: false };
  const migration = activeMigration(tx, id);
  if (migration?.source === host) return jobView(tx, migration);
  // The figures are told on the source only.
  if (migration?.target === host) return incomingJob;
  return guest.power === 'migrating' && guest.persistent === 0 ? incomingJob : null;
}

function refuseFull(tx: Tx, host: HostRef, at: HostRow, guest: GuestRow): void {
  if (freeMemory(tx, at.name, at.memory_mib) >= guest.memory_mib) return;
  const why = `cannot set up guest memory 'pc.ram': Cannot allocate memory`;
  throw new DroverError('HypervisorError', `${host.name}: ${why}`, { details: { host: host.name } });
}

function running(tx: Tx, host: HostRef, at: HostRow, id: string): GuestRow {
  const guest = found(tx, host, at, id);
  if (isOn(guest)) return guest;
  throw notRunning(host);
}

const notRunning = (host: HostRef): DroverError =>
  new DroverError(
    'HypervisorError',
    `${host.name}: Requested operation is not valid: domain is not running`,
    {
      details: { host: host.name },
    },
  );

const busy = (host: HostRef, guest: GuestRow, what: string): DroverError =>
  new DroverError('HypervisorError', `${host.name}: ${guest.name} is being migrated; it can't ${what} now`, {
    details: { host: host.name },
  });
