/** The guest runs on its target while the rest of its memory is on its source: what becomes of the two halves. */
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Tx } from './database.js';
import { endGuest, guestOn, setPower } from './guests.js';
import { findHost, type HostRow } from './hosts.js';
import { arrive, close, land } from './migration-ends.js';
import { migrationById, plan, progressAt, ratesOf, silence, type MigrationRow } from './migration-rows.js';
import { leftAt, msFor, switchMs } from './progress.js';

/** What libvirt takes to tell the client that the other side is silent, as it was measured. */
const noticeMs = 7_000;
const failed = `operation failed: job 'migration in' failed in post-copy phase`;
const running = 'post-copy';
const broken = 'post-copy failed';

export const isPostCopy = (reason: string): boolean => reason === running || reason === broken;

/** Switches over now; HypervisorError in the words of libvirt where it can't. */
export function switchToPostCopy(tx: Tx, host: HostRef, migration: MigrationRow | undefined): void {
  const refuse = (why: string): DroverError =>
    new DroverError('HypervisorError', `${host.name}: ${why}`, { details: { host: host.name } });
  if (migration === undefined || migration.phase === 'switch') {
    const why = 'post-copy can only be started while outgoing migration is in progress';
    throw refuse(`Requested operation is not valid: ${why}`);
  }
  if (migration.phase !== 'copy') return;
  if (migration.post_copy === 0) {
    const why = 'switching to post-copy requires migration to be started with VIR_MIGRATE_POSTCOPY flag';
    throw refuse(`Requested operation is not valid: ${why}`);
  }
  const progress = progressAt(tx, migration);
  if (tx.now < progress.roundAt) {
    const why = 'Enable postcopy with migrate_set_capability before the start of migration';
    throw refuse(`internal error: unable to execute QEMU command 'migrate-start-postcopy': ${why}`);
  }
  const remaining = leftAt(progress, ratesOf(tx, migration));
  tx.run(
    `update migrations set phase = 'post-copy', progress = ?, downtime_ms = ? where id = ?`,
    JSON.stringify({ ...progress, at: tx.now, remaining, began: remaining }),
    switchMs,
    migration.id,
  );
  setHalves(tx, migration, running);
  // From here on the target keeps its definition, whatever comes.
  tx.run('update guests set persistent = 1 where host = ? and id = ?', migration.target, migration.guest);
  again(tx, migration.id);
}

/** The stream between the halves breaks, as by QEMU's \`migrate_pause\`: both stand still. */
export function breakStream(tx: Tx, migration: MigrationRow): void {
  if (migration.phase !== 'post-copy') return;
  setHalves(tx, migration, broken);
  const progress = JSON.stringify(progressAt(tx, migration));
  const { id } = migration;
  tx.run(
    `update migrations set phase = 'broken', progress = ?, message = ? where id = ?`,
    progress,
    failed,
    id,
  );
  again(tx, id);
}

/** Joins the halves again; answers the migration that goes on, or why it can't. */
export function rejoin(tx: Tx, migration: MigrationRow | undefined): { id: number } | { refused: string } {
  if (migration?.phase !== 'broken' || migration.stalled === 1) {
    return { refused: 'Requested operation is not valid: post-copy migration of the domain is not failed' };
  }
  setHalves(tx, migration, running);
  const progress = JSON.stringify({ ...progressAt(tx, migration), at: tx.now });
  const { id } = migration;
  tx.run(
    `update migrations set phase = 'post-copy', progress = ?, message = null where id = ?`,
    progress,
    id,
  );
  again(tx, id);
  return { id };
}

/** What becomes of it, given how its two hosts are. */
export function reconsiderPostCopy(tx: Tx, migration: MigrationRow, source: HostRow, target: HostRow): void {
  const halfOn = (host: HostRow): boolean =>
    host.power === 'on' && isPostCopy(guestOn(tx, host.name, migration.guest)?.reason ?? '');
  const [here, there] = [halfOn(source), halfOn(target)];
  if (!here || !there) return lose(tx, migration, { here, there });
  const progress = JSON.stringify(progressAt(tx, migration));
  const stalled = silence(tx, source, target) !== null || source.hung === 1 || target.hung === 1;
  const lostClient = source.daemon === 0 || target.daemon === 0;
  const message = lostClient ? (migration.message ?? 'client socket is closed') : migration.message;
  const givesUpAt = stalled ? (migration.gives_up_at ?? tx.now + noticeMs) : null;
  tx.run(
    'update migrations set progress = ?, stalled = ?, gives_up_at = ?, message = ? where id = ?',
    progress,
    stalled ? 1 : 0,
    givesUpAt,
    message,
    migration.id,
  );
  if (migration.phase === 'broken') return;
  if (givesUpAt !== null) return plan(tx, migration.id, givesUpAt);
  const { remaining } = progressAt(tx, migration);
  plan(tx, migration.id, tx.now + msFor(remaining, ratesOf(tx, migration).link));
}

/** All of it has come, or the two have been silent for too long. */
export function continuePostCopy(tx: Tx, migration: MigrationRow): void {
  if (migration.phase === 'broken') return;
  if (migration.stalled === 1) {
    // libvirt gives up; QEMU's own stream goes on as soon as the network does.
    setPower(tx, migration.source, migration.guest, 'migrating', broken);
    tx.run('update migrations set message = ? where id = ?', 'client socket is closed', migration.id);
    return;
  }
  if (migration.message === null) return arrive(tx, migration);
  // Nobody is left who would tell the source to forget it: its definition stays, and could be started.
  land(tx, migration);
  const left = guestOn(tx, migration.source, migration.guest);
  if (left !== undefined) endGuest(tx, left, 'migrated');
  close(tx, migration, migration.message);
}

/** A half is gone for good, and with it the guest's memory. The other one stands still until somebody ends it. */
function lose(tx: Tx, migration: MigrationRow, on: { here: boolean; there: boolean }): void {
  const { source, target, guest } = migration;
  if (on.here) setPower(tx, source, guest, 'migrating', broken);
  if (on.there) setPower(tx, target, guest, 'migrating', broken);
  close(tx, migration, failed);
}

function setHalves(tx: Tx, { source, target, guest }: MigrationRow, reason: string): void {
  for (const host of [source, target]) setPower(tx, host, guest, 'migrating', reason);
}

function again(tx: Tx, id: number): void {
  const changed = migrationById(tx, id);
  const [source, target] = [findHost(tx, changed?.source ?? ''), findHost(tx, changed?.target ?? '')];
  if (changed !== undefined && source !== undefined && target !== undefined)
    reconsiderPostCopy(tx, changed, source, target);
}
