/** The ends of a migration: the guest arrives, or it stays and something is left on the target. */
import type { Tx } from './database.js';
import { schedule, unschedule } from './events.js';
import { fileOn, fillFile } from './files.js';
import { endGuest, guestOn, isOn } from './guests.js';
import type { MigrationRow } from './migration-rows.js';

/** What libvirt takes to notice that the other host is silent, as it was measured. */
export const noticeMs = 9_000;
/** libvirt removes what came in half this soon after the connection to the source has closed. */
export const tidyMs = 500;

/** The switch-over is done: the guest goes on on the target, and the source forgets it. */
export function arrive(tx: Tx, migration: MigrationRow): void {
  land(tx, migration);
  tx.run('delete from guests where host = ? and id = ?', migration.source, migration.guest);
  for (const kind of ['down', 'reboot'] as const) unschedule(tx, kind, migration.source, migration.guest);
  close(tx, migration, null);
}

/**
 * The source's libvirtd was killed in the middle of the switch-over. In its first half nobody tells the target to
 * go on, and the source stands still until somebody resumes it; later the guest arrives, and the source, which
 * did not hear of it, keeps its definition.
 */
export function splitAtSwitch(tx: Tx, migration: MigrationRow): void {
  const { at } = JSON.parse(migration.progress) as { at: number };
  const message = 'End of file while reading data: Input/output error';
  if (tx.now - at < (migration.downtime_ms ?? 0) / 2) {
    tidyTarget(tx, migration, tidyMs);
    return close(tx, migration, message);
  }
  land(tx, migration);
  const left = guestOn(tx, migration.source, migration.guest);
  if (left !== undefined) endGuest(tx, { ...left, persistent: 1 }, 'migrated');
  return close(tx, migration, message);
}

/**
 * It failed, and the guest stays where it is. Of what came in on the target nothing is left soon (`half goes`),
 * after the target has noticed (`half is noticed`), or it stays until the two hear of each other again (`half stays`).
 */
export function fail(
  tx: Tx,
  migration: MigrationRow,
  message: string,
  left: 'half goes' | 'half is noticed' | 'half stays',
): void {
  if (left === 'half goes') tidyTarget(tx, migration, tidyMs);
  if (left === 'half is noticed') tidyTarget(tx, migration, noticeMs);
  const source = guestOn(tx, migration.source, migration.guest);
  if (source?.power === 'migrating') {
    tx.run(
      'update guests set power = ?, reason = ? where host = ? and id = ?',
      migration.power,
      migration.power === 'paused' ? 'user' : 'migration canceled',
      migration.source,
      migration.guest,
    );
  }
  close(tx, migration, message);
}

/** The guest on the target, as it was on the source at its last moment there. */
export function land(tx: Tx, migration: MigrationRow): void {
  const source = guestOn(tx, migration.source, migration.guest);
  const { sent = 0 } = JSON.parse(migration.progress) as { sent?: number };
  const figures = {
    totalMs: tx.now - migration.started_at,
    downtimeMs: migration.downtime_ms,
    transferredBytes: Math.round(sent),
  };
  unschedule(tx, 'vanish', migration.target, migration.guest);
  tx.run(
    `update guests set power = ?, reason = ?, persistent = 1, stamp_operation = ?, stamp_epoch = ?,
       boots = ?, booted_at = ?, completed = ? where host = ? and id = ?`,
    migration.power,
    migration.power === 'paused' ? 'user' : 'migrated',
    source?.stamp_operation ?? null,
    source?.stamp_epoch ?? null,
    source?.boots ?? 0,
    source?.booted_at ?? null,
    JSON.stringify(figures),
    migration.target,
    migration.guest,
  );
  // A copied disk has no holes any more.
  for (const path of JSON.parse(migration.copies) as string[]) {
    const file = fileOn(tx, migration.target, path);
    if (file !== undefined) fillFile(tx, file);
  }
}

function tidyTarget(tx: Tx, { target, guest }: MigrationRow, afterMs: number): void {
  const half = guestOn(tx, target, guest);
  if (half !== undefined && isOn(half)) schedule(tx, tx.now + afterMs, 'vanish', { host: target, guest });
}

export function close(tx: Tx, { id, source, guest }: MigrationRow, message: string | null): void {
  unschedule(tx, 'migration', source, guest);
  tx.run('update migrations set ended_at = ?, message = ? where id = ?', tx.now, message, id);
}
