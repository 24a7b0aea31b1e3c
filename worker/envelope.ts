/**
 * From activities as plain functions to activities as Temporal calls them: presents the owner to the
 * inventory before a change, heartbeats, and turns typed errors into Temporal's. Done once, for all.
 */
import { ApplicationFailure, CancelledFailure, Context, type Info } from '@temporalio/activity';
import { asksLeave, failureOf } from '../activities/attempt.js';
import { beatEvery } from '../activities/limits.js';
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
    if (envelope.owner && admit && asksLeave(name, envelope)) {
      await admit({ owner: envelope.owner, seq: envelope.seq, undo: envelope.undo });
    }
    return await work(envelope.input, call);
  } catch (error) {
    throw asTemporal(error, call, context.info);
  } finally {
    clearInterval(timer);
  }
}

function asTemporal(error: unknown, call: Call, { attempt, scheduledTimestampMs }: Info): Error {
  const cancelled = call.signal.aborted && call.cancelRequested();
  const elapsedMs = Date.now() - scheduledTimestampMs;
  const found = failureOf(error, { attempt, elapsedMs, cancelled });
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
