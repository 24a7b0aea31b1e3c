/**
 * From activities as plain functions to activities as Temporal calls them: presents the owner to the
 * inventory before a change, heartbeats, and turns typed errors into Temporal's. Done once, for all.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, CancelledFailure, Context, type Info } from '@temporalio/activity';
import { asksLeave, failureOf } from '../activities/attempt.js';
import { activityLimits, attemptLimit, beatEvery } from '../activities/limits.js';
import { activityTable } from '../activities/table.js';
import type { Activities, ActivityName, Call, Envelope, Implement } from '../activities/types.js';
import type { DroverError } from '../model/errors.js';
import type { IntentCall, Owner } from '../model/operation.js';

export type Admit = (input: { owner: Owner; seq: number; undo: IntentCall | null }) => Promise<void>;

type Wrapped = Record<string, (envelope: Envelope) => Promise<unknown>>;

/** `admit` is null on a host's worker, which keeps a fence of its own. */
export function wrapActivities(implementation: Partial<Implement<Activities>>, admit: Admit | null): Wrapped {
  const wrapped: Wrapped = {};
  for (const [name, work] of Object.entries(implementation)) {
    wrapped[name] = (envelope) => carry(name as ActivityName, work as never, envelope, admit);
  }
  return wrapped;
}

async function carry(
  name: ActivityName,
  work: (input: unknown, call: Call) => Promise<unknown>,
  envelope: Envelope,
  admit: Admit | null,
): Promise<unknown> {
  const context = Context.current();
  const row = activityTable[name];
  let details: Record<string, unknown> = {};
  const beat = () => context.heartbeat(details);
  const timer = row.class === 'long' ? setInterval(beat, beatEvery) : undefined;
  const call: Call = {
    owner: envelope.owner,
    host: envelope.host ?? null,
    signal: context.cancellationSignal,
    cancelRequested: () => context.cancellationDetails?.cancelRequested ?? false,
    heartbeat(next) {
      details = next;
      beat();
    },
  };
  try {
    return await inTime(name, context.info, async () => {
      if (envelope.owner && admit && asksLeave(name, envelope)) {
        await admit({ owner: envelope.owner, seq: envelope.seq, undo: envelope.undo });
      }
      return work(envelope.input, call);
    });
  } catch (error) {
    throw asTemporal(name, error, call, context.info);
  } finally {
    clearInterval(timer);
  }
}

/**
 * Temporal waits for a day, since the inventory may be away for long, and does not know that an attempt which hangs
 * hangs for another reason: here it is given up in time, and fails for good once the patience of its class is spent.
 */
async function inTime<T>(name: ActivityName, info: Info, work: () => Promise<T>): Promise<T> {
  const limits = activityLimits[activityTable[name].class];
  if (limits.patience === null) return work();
  const ms = attemptLimit(limits, Date.now() - info.scheduledTimestampMs);
  const waiting = new AbortController();
  const late = sleep(ms, undefined, { signal: waiting.signal }).then(() => {
    throw new Error(`${name} did not end within ${Math.round(ms / 1000)} s`);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    late.catch(() => undefined);
    waiting.abort();
  }
}

function asTemporal(
  name: ActivityName,
  error: unknown,
  call: Call,
  { attempt, scheduledTimestampMs }: Info,
): Error {
  const cancelled = call.signal.aborted && call.cancelRequested();
  const elapsedMs = Date.now() - scheduledTimestampMs;
  const { patience: patienceMs } = activityLimits[activityTable[name].class];
  const found = failureOf(error, { attempt, elapsedMs, patienceMs, cancelled });
  if (found.cancelled) return new CancelledFailure('cancelled as asked');
  if (error instanceof Error && error.name === 'CancelledFailure') return error;
  return failure(found.error, found.again);
}

function failure(error: DroverError, retryable: boolean): ApplicationFailure {
  const failed = ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nonRetryable: !retryable,
    details: [error.toRecord()],
    // Only of a bug: what an operator reads in the Temporal UI is the sentence, not where in our code it was made.
    ...(error.code === 'Internal' ? { cause: error } : {}),
  });
  if (error.code !== 'Internal') failed.stack = '';
  return failed;
}
