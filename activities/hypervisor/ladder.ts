/**
 * What is done for a guest that changes its memory faster than it can be copied, and when. Pure: `see` takes in how the
 * migration stands, `nextRung` says what is due. docs/live-migration.md tells operators the same as a table.
 */
import type { MovePolicy } from '../../model/instance.js';
import type { LadderStep } from '../../model/operation.js';
import type { JobView } from './port.js';

/** How long a hypervisor lets a guest stand still for the switch-over when nobody tells it. */
export const usualDowntimeMs = 300;
/** A rung gets a whole round of memory to show what it does, or this long where rounds are longer. */
const rungMs = 10_000;
/** A throttle beyond which there is nothing left to slow down. */
const fullThrottle = 99;

export interface Limits {
  policy: MovePolicy;
  /** So long without a smaller round, and it is given up. */
  noProgressMs: number;
}

/** How far up the ladder a migration is; times in ms since the epoch. */
export interface Climb {
  round: number | null;
  /** Bytes with which this round, and the smallest one, began. */
  began: number;
  least: number;
  /** When the smallest round began. */
  gainAt: number | null;
  /** Rounds since then that were no smaller; and since the last rung. */
  idle: number;
  idleSinceRung: number;
  rungAt: number;
  downtimeMs: number;
  postCopy: boolean;
  /** Since when it stands still, and whether a person wanted that. */
  paused: { at: number; by: string | null } | null;
  slowed: boolean;
}

export type Rung =
  | { rung: 'downtime'; ms: number }
  | { rung: 'auto-converge' }
  | { rung: 'post-copy' }
  | { rung: 'pause'; ms: number }
  | { rung: 'stalled'; why: string };

/** At the foot of the ladder, or where an earlier attempt left it. */
export function startClimb(policy: MovePolicy, taken: readonly LadderStep[]): Climb {
  const raised = taken.filter(({ rung, by }) => rung === 'downtime' && by === null).length;
  const pause = taken.find(({ rung }) => rung === 'pause');
  let downtimeMs = usualDowntimeMs;
  for (let step = 0; step < raised; step += 1) downtimeMs = higher(downtimeMs, policy);
  return {
    round: null,
    began: Infinity,
    least: Infinity,
    gainAt: null,
    idle: 0,
    idleSinceRung: 0,
    rungAt: 0,
    downtimeMs,
    postCopy: taken.some(({ rung }) => rung === 'post-copy'),
    paused: pause === undefined ? null : { at: Date.parse(pause.at), by: pause.by },
    slowed: taken.some(({ rung }) => rung === 'auto-converge'),
  };
}

/**
 * Nearer to the end is a round of memory that began with clearly less than any before: within a round what remains goes
 * down to nothing each time, however fast the guest writes.
 */
export function see(climb: Climb, { iteration, remainingBytes }: JobView, now: number): Climb {
  if (remainingBytes === null || iteration === climb.round) return climb;
  const next = { ...climb, round: iteration, began: remainingBytes };
  return remainingBytes <= 0.95 * climb.least
    ? { ...next, least: remainingBytes, gainAt: now, idle: 0, idleSinceRung: 0 }
    : { ...next, idle: climb.idle + 1, idleSinceRung: climb.idleSinceRung + 1 };
}

/** What is due now; null while it comes nearer to its end, or while the last rung may still help. */
export function nextRung(
  climb: Climb,
  { policy, noProgressMs }: Limits,
  job: JobView,
  now: number,
): Rung | null {
  if (climb.paused !== null) return overslept(climb.paused, policy, now);
  if (!climb.slowed && (job.throttlePercent ?? 0) > 0) return { rung: 'auto-converge' };
  if (climb.downtimeMs > policy.downtimeMs) return { rung: 'downtime', ms: policy.downtimeMs };
  if (climb.idle === 0 || climb.gainAt === null) return null;
  const stuckMs = now - climb.gainAt;
  if (climb.idleSinceRung > 0 || now - climb.rungAt >= rungMs) {
    if (climb.downtimeMs < policy.downtimeMs)
      return { rung: 'downtime', ms: higher(climb.downtimeMs, policy) };
    // Slowing a guest down goes step by step: what is harder on it waits for the last one, or for half of the time.
    const waits =
      policy.autoConverge && (job.throttlePercent ?? 0) < fullThrottle && stuckMs < noProgressMs / 2;
    if (!waits && policy.postCopy && !climb.postCopy) return { rung: 'post-copy' };
    const ms = estimateMs(climb, job);
    if (!waits && ms !== null && ms <= policy.pauseMs) return { rung: 'pause', ms };
  }
  if (stuckMs < noProgressMs) return null;
  return { rung: 'stalled', why: `no round was smaller for ${Math.round(stuckMs / 1000)} s` };
}

/** The climb once a rung was taken. */
export function take(climb: Climb, rung: Rung, now: number): Climb {
  const next = { ...climb, rungAt: now, idleSinceRung: 0 };
  switch (rung.rung) {
    case 'downtime':
      return { ...next, downtimeMs: rung.ms };
    case 'auto-converge':
      return { ...climb, slowed: true };
    case 'post-copy':
      return { ...next, postCopy: true };
    case 'pause':
      return { ...next, paused: { at: now, by: null } };
    case 'stalled':
      return next;
    default:
      return rung satisfies never;
  }
}

/** What a round takes while the guest stands still, in ms; null where the speed is not known. */
export function estimateMs(
  climb: Pick<Climb, 'began'>,
  { memoryBytesPerSecond: speed }: JobView,
): number | null {
  if (speed === null || speed <= 0 || !Number.isFinite(climb.began)) return null;
  return Math.ceil((climb.began / speed) * 1000);
}

/** The sentence for the record. */
export function says(rung: Rung, climb: Climb, job: JobView): string {
  const mib = Math.ceil(climb.began / 1024 ** 2);
  const why = `round ${climb.round ?? 1} began with ${mib} MiB, not less than before`;
  switch (rung.rung) {
    case 'downtime':
      return `downtime up to ${rung.ms} ms: ${why}`;
    case 'auto-converge':
      return `processors slowed down by ${job.throttlePercent ?? 0} % and more`;
    case 'post-copy':
      return `switched to post-copy: ${why}`;
    case 'pause':
      return `paused for about ${rung.ms} ms: ${why}`;
    case 'stalled':
      return rung.why;
    default:
      return rung satisfies never;
  }
}

const higher = (ms: number, policy: MovePolicy): number => Math.min(policy.downtimeMs, ms * 2);

/** The policy says how long it may stand still; a person who asked for it waits as long as it takes. */
function overslept({ at, by }: NonNullable<Climb['paused']>, policy: MovePolicy, now: number): Rung | null {
  if (by !== null || now - at <= policy.pauseMs) return null;
  return { rung: 'stalled', why: `it stood still for ${now - at} ms, and may for ${policy.pauseMs} ms` };
}
