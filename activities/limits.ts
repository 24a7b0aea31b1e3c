/**
 * Time limits and retries of activities by their class (`table.ts`), in ms; whether an error is retried at all is
 * in the error table. Temporal is told them, and virtual time keeps to them.
 */
interface Limits {
  /** One attempt. */
  startToClose: number;
  /** All attempts together, with the waits between them; null for no limit. */
  scheduleToClose: number | null;
  /** So long whatever can be tried again is; only the inventory is waited for until `scheduleToClose`. Null for no limit. */
  patience: number | null;
  /** An attempt that is not heard of for so long is given up; null where nothing beats. */
  heartbeat: number | null;
  retryFirst: number;
  retryMost: number;
}

const second = 1000;
const day = 86_400 * second;

export const activityLimits: Record<'read' | 'record' | 'quick' | 'long', Limits> = {
  read: {
    startToClose: 20 * second,
    scheduleToClose: day,
    patience: 60 * second,
    heartbeat: null,
    retryFirst: 200,
    retryMost: 5 * second,
  },
  // A record is written however long the database is away: nothing may be lost.
  record: {
    startToClose: 30 * second,
    scheduleToClose: null,
    patience: null,
    heartbeat: null,
    retryFirst: 200,
    retryMost: 10 * second,
  },
  quick: {
    startToClose: 60 * second,
    scheduleToClose: day,
    patience: 180 * second,
    heartbeat: null,
    retryFirst: 200,
    retryMost: 5 * second,
  },
  long: {
    startToClose: 7 * day,
    scheduleToClose: null,
    patience: null,
    heartbeat: 10 * second,
    retryFirst: 200,
    retryMost: 10 * second,
  },
};

/** What is left of the patience is the last attempt's; one that begins later waited for the inventory before. */
export function attemptLimit({ startToClose, patience }: Limits, elapsedMs: number): number {
  return patience === null || elapsedMs >= patience
    ? startToClose
    : Math.min(startToClose, patience - elapsedMs);
}

/** How long a task may wait for the worker of a host: a dead host's queue must fail, not wait. */
export const hostWorkerLimit = 20 * second;
/** How long a task may wait for a vantage point: one that is cut off says nothing, and the others are heard. */
export const vantageLimit = 10 * second;

/** A worker says so often that a long activity goes on: below its heartbeat limit by a wide margin. */
export const beatEvery = 2 * second;

/** A cancel reaches an activity with the answer to a heartbeat, and that is sent so often at most. */
export const beatsAtMostEvery = second;
