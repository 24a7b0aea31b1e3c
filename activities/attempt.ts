/** What becomes of an attempt at an activity that failed: the same for Temporal's workers and in virtual time. */
import { DroverError } from '../model/errors.js';
import { activityTable } from './table.js';
import type { ActivityName, Envelope } from './types.js';

/**
 * A host that does not answer is asked again for this long: a libvirtd that restarts is back by then. Activities
 * that wait for a host on purpose have a patience of their own.
 */
const unreachableMs = 20_000;
const internalAttempts = 10;

export interface Attempt {
  /** From 1. */
  attempt: number;
  /** Since the activity was asked for: all its attempts. */
  elapsedMs: number;
  /** Of the class of the activity (`limits.ts`). */
  patienceMs: number | null;
  /** Somebody asked to cancel, and the attempt has heard of it. */
  cancelled: boolean;
}

/** `again`: the next attempt may do better. */
export type Failure = { cancelled: true } | { cancelled: false; error: DroverError; again: boolean };

export function failureOf(error: unknown, { attempt, elapsedMs, patienceMs, cancelled }: Attempt): Failure {
  const spent = patienceMs !== null && elapsedMs >= patienceMs;
  if (cancelled) {
    return error instanceof DroverError && error.code !== 'Cancelled'
      ? { cancelled: false, error, again: false }
      : { cancelled: true };
  }
  if (error instanceof DroverError) {
    // Nothing may fail because its database is away for a while: the work is delayed.
    if (error.code === 'InventoryUnavailable') return { cancelled: false, error, again: true };
    const late = error.code === 'HypervisorUnreachable' && elapsedMs > unreachableMs;
    // Cancelled without a request is a worker that stops, or an attempt that was given up: the next one goes on.
    return {
      cancelled: false,
      error,
      again: !spent && (error.code === 'Cancelled' || (error.retryable && !late)),
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    cancelled: false,
    error: new DroverError('Internal', message, { cause: error }),
    again: attempt < internalAttempts && !spent,
  };
}

/** Whether the inventory is asked for leave (`admit`) before the step: a host's worker keeps a fence of its own. */
export function asksLeave(name: ActivityName, envelope: Envelope): boolean {
  const row = activityTable[name];
  return row.mutates && row.where === 'control' && envelope.owner !== null;
}
