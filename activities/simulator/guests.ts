/** The guests of a host, as its hypervisor knows them. */
import type { PowerState } from '../../model/instance.js';
import { disk } from '../../model/instance.js';
import type { GuestView } from '../hypervisor/port.js';
import { z } from 'zod';
import type { Tx } from './database.js';
import { schedule, unschedule } from './events.js';
import { storeOf, touchFiles, type FileRow } from './files.js';
import { tellEnd, tellStandstill } from './heard.js';

export interface GuestRow {
  host: string;
  id: string;
  name: string;
  power: PowerState;
  reason: string;
  persistent: number;
  vcpus: number;
  memory_mib: number;
  disks: string;
  serial_log: string | null;
  cpu_mode: string;
  /** JSON: networks and bridges that it is connected to. */
  networks: string;
  managed_save: number;
  autostart: number;
  snapshots: number;
  checkpoints: number;
  /** A job that is not a migration: 'backup'. */
  other_job: string | null;
  stamp_operation: string | null;
  stamp_epoch: number | null;
  /** Bytes of memory that it writes per second. */
  dirty: number;
  /** It goes down when it is asked to. */
  obeys: number;
  boots: number;
  booted_at: number | null;
  completed: string | null;
}

/** How long a guest takes to boot, in which it hears no button, and to go down. */
export const guestBootMs = 3_000;
const guestDownMs = 2_000;

const disks = z.array(disk);
export const disksOf = (row: Pick<GuestRow, 'disks'>): z.output<typeof disks> =>
  disks.parse(JSON.parse(row.disks));

export const isOn = ({ power }: Pick<GuestRow, 'power'>): boolean => !['shutoff', 'crashed'].includes(power);

export const guestOn = (tx: Tx, host: string, id: string): GuestRow | undefined =>
  tx.one<GuestRow>('select * from guests where host = ? and id = ?', host, id);

export const guestsOn = (tx: Tx, host: string): GuestRow[] =>
  tx.all<GuestRow>('select * from guests where host = ? order by name', host);

/** Every host's copy of a guest: what nobody but the judge of a simulation can see at once. */
export const copiesOf = (tx: Tx, id: string): GuestRow[] =>
  tx.all<GuestRow>('select * from guests where id = ? order by host', id);

export function viewOf(row: GuestRow): GuestView {
  const { stamp_operation: operation, stamp_epoch: epoch } = row;
  return {
    id: row.id,
    name: row.name,
    power: row.power,
    reason: row.reason,
    postCopy:
      ({ 'post-copy': 'running', 'post-copy failed': 'failed' }[row.reason] as GuestView['postCopy']) ?? null,
    persistent: row.persistent === 1,
    vcpus: row.vcpus,
    memoryMiB: row.memory_mib,
    disks: disksOf(row),
    cpuMode: row.cpu_mode,
    networks: JSON.parse(row.networks) as string[],
    serialLog: row.serial_log,
    managedSave: row.managed_save === 1,
    autostart: row.autostart === 1,
    snapshots: row.snapshots,
    checkpoints: row.checkpoints,
    stamp: operation === null || epoch === null ? null : { instance: row.id, operation, epoch },
    definition: definitionOf(row),
  };
}

const definition = z.object({
  id: z.string(),
  name: z.string(),
  vcpus: z.int(),
  memory_mib: z.int(),
  disks,
  networks: z.array(z.string()),
  serial_log: z.string().nullable(),
  cpu_mode: z.string(),
});
export type Definition = z.output<typeof definition>;

const definitionOf = (row: GuestRow): string =>
  JSON.stringify(definition.parse({ ...row, disks: disksOf(row), networks: JSON.parse(row.networks) }));
export const readDefinition = (text: string): Definition => definition.parse(JSON.parse(text));

/** qemu's lock, which a shared store knows of all its hosts. */
export const isOpenAnywhere = (tx: Tx, file: FileRow): boolean => writersOf(tx, file).length > 0;

/** A guest that runs writes all the time; one that stands still does not. */
export const isWritten = (tx: Tx, file: FileRow): boolean =>
  writersOf(tx, file).some(({ power }) => power === 'running');

const writersOf = (tx: Tx, { store, path }: FileRow): GuestRow[] =>
  tx
    .all<GuestRow>(
      `select * from guests where power not in ('shutoff', 'crashed') and disks like ?`,
      `%${path}%`,
    )
    .filter(
      (guest) =>
        storeOf(tx, guest.host, path) === store &&
        disksOf(guest).some((one) => one.path === path && !one.readonly),
    );

export function setPower(tx: Tx, host: string, id: string, power: PowerState, reason: string): void {
  tx.run('update guests set power = ?, reason = ? where host = ? and id = ?', power, reason, host, id);
  if (power === 'paused') tellStandstill(tx, { host, id }, reason);
}

/** A process of the guest begins; what the host remembered of its last one is forgotten. */
export function bootGuest(tx: Tx, host: string, id: string): void {
  tx.run(
    `update guests set power = 'running', reason = 'booted', boots = boots + 1, booted_at = ?,
       managed_save = 0, completed = null where host = ? and id = ?`,
    tx.now,
    host,
    id,
  );
  const booted = guestOn(tx, host, id);
  if (booted !== undefined) touchFiles(tx, host, disksOf(booted));
}

/** The process has ended: what has no stored definition is gone with it. */
export function endGuest(tx: Tx, { host, id, persistent }: GuestRow, reason: string): void {
  for (const kind of ['down', 'reboot', 'vanish', 'saved'] as const) unschedule(tx, kind, host, id);
  if (persistent === 1) tellEnd(tx, { host, id }, reason);
  if (persistent === 0) tx.run('delete from guests where host = ? and id = ?', host, id);
  else {
    const power = reason === 'crashed' ? 'crashed' : 'shutoff';
    tx.run(
      `update guests set power = ?, reason = ?, other_job = null, booted_at = null, completed = null
         where host = ? and id = ?`,
      power,
      reason,
      host,
      id,
    );
  }
}

/** The button is pressed. A guest that still boots, or stands still, does not hear it. */
export function pressButton(tx: Tx, row: GuestRow, then: 'down' | 'reboot'): void {
  const hears = row.obeys === 1 && row.power === 'running' && tx.now >= (row.booted_at ?? 0) + guestBootMs;
  if (!hears) return;
  for (const kind of ['down', 'reboot'] as const) unschedule(tx, kind, row.host, row.id);
  schedule(tx, tx.now + guestDownMs, then, { host: row.host, guest: row.id });
}

/** Memory of the host that no guest uses, in MiB. */
export function freeMemory(tx: Tx, host: string, memoryMiB: number): number {
  const used = tx.one<{ used: number | null }>(
    `select sum(memory_mib) as used from guests where host = ? and power not in ('shutoff', 'crashed')`,
    host,
  );
  return memoryMiB - (used?.used ?? 0);
}
