import type { CompletedMigration, JobView } from '../port.js';
import { fields } from './view.js';

/** virDomainJobOperation of libvirt. */
const operations = [
  'unknown',
  'start',
  'save',
  'restore',
  'incoming migration',
  'outgoing migration',
  'snapshot',
  'revert to snapshot',
  'dump',
  'backup',
  'delete snapshot',
];
const INCOMING = 4;
/** A daemon that does not say is taken to migrate: it is asked about guests that do. */
const MIGRATES = new Set([0, INCOMING, 5]);

/** virDomainJobType: bounded and unbounded jobs are active, the others are over. */
const ACTIVE = new Set([1, 2]);
const COMPLETED = 3;

const number = (text: string | undefined): number | null =>
  text === undefined || text === '' || Number.isNaN(Number(text)) ? null : Number(text);

/** `virsh domjobinfo --rawstats`; null when no job is active. Until it copies, a job has no figures but zeros. */
export function parseJob(text: string): JobView | null {
  const raw = fields(text);
  if (!ACTIVE.has(Number(raw['Job type']))) return null;
  const operation = number(raw['operation']) ?? 0;
  const copies = (number(raw['data_total']) ?? 0) > 0;
  const pages = number(raw['memory_dirty_rate']);
  const figure = (name: string): number | null => (copies ? number(raw[name]) : null);
  return {
    operation: operations[operation] ?? 'unknown',
    migrates: MIGRATES.has(operation),
    elapsedMs: number(raw['time_elapsed']),
    totalBytes: figure('data_total'),
    processedBytes: figure('data_processed'),
    remainingBytes: figure('data_remaining'),
    memoryBytesPerSecond: figure('memory_bps'),
    iteration: figure('memory_iteration'),
    dirtyBytesPerSecond: pages === null ? null : pages * (number(raw['memory_page_size']) ?? 4096),
    throttlePercent: number(raw['auto_converge_throttle']),
    // Nothing is expected before the first round is through.
    expectedDowntimeMs: number(raw['downtime']),
    postCopy: (number(raw['memory_postcopy_requests']) ?? 0) > 0,
  };
}

/** `virsh domjobinfo --completed --rawstats` on the target. */
export function parseCompleted(text: string): CompletedMigration | null {
  const raw = fields(text);
  if (Number(raw['Job type']) !== COMPLETED || Number(raw['operation']) !== INCOMING) return null;
  return {
    totalMs: number(raw['time_elapsed']),
    downtimeMs: number(raw['downtime']),
    transferredBytes: number(raw['data_processed']),
  };
}
