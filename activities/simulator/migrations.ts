/** Live migrations go on without whoever started them, and die as those of libvirt do. */
import type { JobView } from '../hypervisor/port.js';
import type { Tx } from './database.js';
import { isScheduled, schedule, unschedule } from './events.js';
import { guestOn, isOn, type GuestRow } from './guests.js';
import { findHost } from './hosts.js';
import {
  activeMigration,
  migrationById,
  plan,
  progressAt,
  progressOf,
  ratesOf,
  silence,
  type MigrationRow,
} from './migration-rows.js';
import { advance, begin, downtimeOf, msFor, readyAt, writes, type Progress } from './progress.js';
import { continuePostCopy, isPostCopy, reconsiderPostCopy } from './post-copy.js';
import { arrive, fail, noticeMs, splitAtSwitch, tidyMs } from './migration-ends.js';

/** Before the first byte: the target's process is made ready. */
const setupMs = 200;

/** Every migration that runs from or to a host. */
export const migrationsAt = (tx: Tx, host: string): MigrationRow[] =>
  tx.all<MigrationRow>(
    `select * from migrations where source = ? and ended_at is null
     union select * from migrations where target = ? and ended_at is null order by id`,
    host,
    host,
  );

/** Begins it; whoever calls has checked that it can. */
export function beginMigration(
  tx: Tx,
  guest: GuestRow,
  how: {
    target: string;
    cap: number | null;
    copies: string[];
    diskBytes: number;
    autoConverge: boolean;
    postCopy: boolean;
  },
): number {
  const memory = guest.memory_mib * 1024 ** 2;
  const { target, cap, copies, diskBytes: disk } = how;
  tx.run(
    `insert into migrations (guest, name, source, target, power, phase, cap, dirty, memory, disk, copies, started_at, progress,
       auto_converge, post_copy)
     values (?, ?, ?, ?, ?, 'copy', ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    guest.id,
    guest.name,
    guest.host,
    target,
    guest.power,
    cap,
    guest.power === 'paused' ? 0 : guest.dirty,
    memory,
    disk,
    JSON.stringify(copies),
    tx.now,
    JSON.stringify(begin(tx.now + setupMs, memory + disk)),
    how.autoConverge ? 1 : 0,
    how.postCopy ? 1 : 0,
  );
  const made = activeMigration(tx, guest.id);
  if (made === undefined) throw new Error('the migration was not stored');
  reconsider(tx, made);
  return made.id;
}

/** Something changed at the host: what that means for each migration from or to it. */
export function reconsiderAt(tx: Tx, host: string): void {
  for (const migration of migrationsAt(tx, host)) reconsider(tx, migration);
  for (const half of tx.all<GuestRow>(`select * from guests where power = 'migrating'`)) tidyHalf(tx, half);
}

/** What came in half from a host that fell silent is removed when the two hear of each other again. */
function tidyHalf(tx: Tx, { host, id, reason }: GuestRow): void {
  // A half that ran is nothing to tidy up: what it holds is nowhere else.
  if (isPostCopy(reason)) return;
  const last = tx.one<MigrationRow>('select * from migrations where guest = ? order by id desc limit 1', id);
  if (last === undefined || last.ended_at === null || last.target !== host) return;
  const [source, target] = [findHost(tx, last.source), findHost(tx, host)];
  if (source === undefined || target?.daemon !== 1 || silence(tx, source, target) !== null) return;
  if (!isScheduled(tx, 'vanish', host, id)) schedule(tx, tx.now + tidyMs, 'vanish', { host, guest: id });
}

/** The time has come that was planned for it. */
export function continueMigration(tx: Tx, id: number): void {
  const found = migrationById(tx, id);
  if (found === undefined || found.ended_at !== null) return;
  if (found.phase === 'post-copy' || found.phase === 'broken') return continuePostCopy(tx, found);
  if (found.gives_up_at !== null && found.gives_up_at <= tx.now) {
    fail(tx, found, found.gives_up ?? 'the target does not answer', 'half stays');
  } else if (found.stalled === 1) {
    return;
  } else if (found.phase === 'switch') {
    arrive(tx, found);
  } else {
    const rates = ratesOf(tx, found);
    const progress = advance(progressOf(found), rates, tx.now);
    if (progress.ready) toSwitch(tx, found, progress, downtimeOf(progress, rates));
    else reconsider(tx, found);
  }
}

function toSwitch(tx: Tx, { id, source, guest }: MigrationRow, progress: Progress, downtime: number): void {
  tx.run(
    `update migrations set phase = 'switch', progress = ?, downtime_ms = ? where id = ?`,
    JSON.stringify({ ...progress, at: tx.now }),
    downtime,
    id,
  );
  tx.run(
    `update guests set power = 'migrating', reason = 'migrating' where host = ? and id = ?`,
    source,
    guest,
  );
  plan(tx, id, tx.now + downtime);
}

/** What a migration does from now on, given how its two hosts are. */
function reconsider(tx: Tx, migration: MigrationRow): void {
  const source = findHost(tx, migration.source);
  const target = findHost(tx, migration.target);
  if (source === undefined || target === undefined) throw new Error('a migration without its hosts');
  unschedule(tx, 'migration', migration.source, migration.guest);
  if (migration.phase === 'post-copy' || migration.phase === 'broken')
    return reconsiderPostCopy(tx, migration, source, target);
  if (source.power !== 'on') return fail(tx, migration, 'the source lost its power', 'half is noticed');
  const guest = guestOn(tx, source.name, migration.guest);
  if (guest === undefined || !isOn(guest)) {
    return fail(tx, migration, 'operation failed: domain is not running', 'half goes');
  }
  if (source.daemon === 0) {
    return migration.phase === 'switch'
      ? splitAtSwitch(tx, migration)
      : fail(tx, migration, closed, 'half goes');
  }
  if (target.power === 'on' && target.daemon === 0) return fail(tx, migration, closed, 'half goes');
  if (target.power === 'on' && guestOn(tx, target.name, migration.guest)?.power !== 'migrating') {
    return fail(tx, migration, 'operation failed: migration out job: unexpectedly failed', 'half goes');
  }
  const progress = progressAt(tx, migration);
  const silent = silence(tx, source, target);
  const stalled = silent !== null || source.hung === 1 || source.daemon === 2;
  // A silence that ends in time is made good by the network.
  const givesUpAt = silent === null ? null : (migration.gives_up_at ?? tx.now + noticeMs);
  tx.run(
    'update migrations set progress = ?, stalled = ?, gives_up_at = ?, gives_up = ? where id = ?',
    JSON.stringify(progress),
    stalled ? 1 : 0,
    givesUpAt,
    silent,
    migration.id,
  );
  if (givesUpAt !== null) plan(tx, migration.id, givesUpAt);
  if (stalled) return;
  if (migration.phase === 'switch') return plan(tx, migration.id, tx.now + (migration.downtime_ms ?? 0));
  const ready = readyAt(progress, ratesOf(tx, migration));
  if (ready !== null) plan(tx, migration.id, Math.max(ready, tx.now));
}

const closed = 'End of file while reading data: Input/output error';

/** The job as its source tells it: no figures before it copies, as libvirt. */
export function jobView(tx: Tx, migration: MigrationRow): JobView {
  const progress = progressAt(tx, migration);
  const rates = ratesOf(tx, migration);
  const copies = tx.now >= migration.started_at + setupMs;
  const figure = (value: number): number | null => (copies ? Math.round(value) : null);
  return {
    operation: 'outgoing migration',
    migrates: true,
    elapsedMs: tx.now - migration.started_at,
    totalBytes: figure(migration.memory + migration.disk),
    processedBytes: figure(progress.sent),
    remainingBytes: figure(progress.remaining),
    memoryBytesPerSecond: figure(migration.stalled === 1 ? 0 : rates.link),
    iteration: figure(progress.round),
    dirtyBytesPerSecond: figure(progress.round === 1 ? 0 : writes(progress, rates)),
    throttlePercent: progress.throttle === 0 ? null : progress.throttle,
    expectedDowntimeMs:
      progress.round === 1 ? migration.downtime_limit : Math.round(msFor(progress.began, rates.link)),
    postCopy: migration.phase === 'post-copy' || migration.phase === 'broken',
  };
}

/** Something of it is set while it runs: what was copied so far was copied as it was before. */
export function change(
  tx: Tx,
  migration: MigrationRow,
  set: Partial<Pick<MigrationRow, 'dirty' | 'cap' | 'downtime_limit'>>,
): void {
  const progress = JSON.stringify(progressAt(tx, migration));
  const { dirty, cap, downtime_limit: limit } = { ...migration, ...set };
  tx.run(
    'update migrations set progress = ?, dirty = ?, cap = ?, downtime_limit = ? where id = ?',
    progress,
    dirty,
    cap,
    limit,
    migration.id,
  );
  const changed = migrationById(tx, migration.id);
  if (changed !== undefined) reconsider(tx, changed);
}
