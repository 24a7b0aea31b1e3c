/** Migrations as rows, and what is reckoned from one: how far it is, at which pace, whether its hosts reach each other. */
import type { PowerState } from '../../model/instance.js';
import type { Tx } from './database.js';
import { schedule, unschedule } from './events.js';
import { areConnected, findHost, type HostRow } from './hosts.js';
import { advance, type Progress, type Rates } from './progress.js';

export interface MigrationRow {
  id: number;
  guest: string;
  name: string;
  source: string;
  target: string;
  /** What the guest was when it began, and will be when it has arrived. */
  power: PowerState;
  /**
   * The guest stands still for its last round in 'switch'; runs on the target while the rest of its memory comes in
   * 'post-copy', and runs nowhere when that stream is 'broken'.
   */
  phase: 'copy' | 'switch' | 'post-copy' | 'broken';
  cap: number | null;
  dirty: number;
  memory: number;
  disk: number;
  /** Paths of the disks that it copies. */
  copies: string;
  started_at: number;
  progress: string;
  downtime_ms: number | null;
  /** How long the guest may stand still at the switch-over. */
  downtime_limit: number;
  auto_converge: number;
  /** It was begun so that it may become a post-copy. */
  post_copy: number;
  stalled: number;
  gives_up_at: number | null;
  gives_up: string | null;
  ended_at: number | null;
  message: string | null;
}

export const activeMigration = (tx: Tx, guest: string): MigrationRow | undefined =>
  tx.one<MigrationRow>('select * from migrations where guest = ? and ended_at is null', guest);

export const migrationById = (tx: Tx, id: number): MigrationRow | undefined =>
  tx.one<MigrationRow>('select * from migrations where id = ?', id);

/** Why the target does not answer the source; null when it does. */
export function silence(tx: Tx, source: HostRow, target: HostRow): string | null {
  const lost = `operation failed: Lost connection to destination host`;
  if (target.power !== 'on' || target.hung === 1 || target.daemon === 2) return lost;
  return areConnected(tx, source, target) ? null : lost;
}

export function plan(tx: Tx, id: number, at: number): void {
  const { source, guest } = migrationById(tx, id) ?? {};
  if (source === undefined || guest === undefined) return;
  unschedule(tx, 'migration', source, guest);
  schedule(tx, at, 'migration', { host: source, guest, data: String(id) });
}

export const progressOf = (migration: MigrationRow): Progress => JSON.parse(migration.progress) as Progress;

/** How far it is now. What stood still goes on from now. */
export function progressAt(tx: Tx, migration: MigrationRow): Progress {
  const stored = progressOf(migration);
  if (migration.phase === 'broken') return stored;
  if (migration.stalled === 1) return { ...stored, at: Math.max(stored.at, tx.now) };
  if (migration.phase === 'switch') return stored;
  const rates = ratesOf(tx, migration);
  if (migration.phase === 'copy') return advance(stored, rates, tx.now);
  const copied = Math.min(stored.remaining, (rates.link * (tx.now - stored.at)) / 1000);
  return { ...stored, at: tx.now, remaining: stored.remaining - copied, sent: stored.sent + copied };
}

export function ratesOf(tx: Tx, migration: MigrationRow): Rates {
  const { source, target, cap, memory, dirty, downtime_limit: bearableMs } = migration;
  const links = [findHost(tx, source)?.link, findHost(tx, target)?.link, cap];
  const autoConverge = migration.auto_converge === 1;
  return {
    memory,
    dirty,
    bearableMs,
    autoConverge,
    link: Math.min(...links.filter((link) => typeof link === 'number')),
  };
}
