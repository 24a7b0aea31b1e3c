/**
 * From activities as plain functions to activities as Temporal calls them: presents the owner to the
 * inventory before a change, heartbeats, and turns typed errors into Temporal's. Done once, for all.
 */
import { ApplicationFailure, CancelledFailure, Context, type Info } from '@temporalio/activity';
import { activityTable } from '../activities/table.js';
import type { Activities, ActivityName, Call, Envelope, Implement } from '../activities/types.js';
import { DroverError } from '../model/errors.js';
import type { IntentCall, Owner } from '../model/operation.js';

export type Admit = (input: { owner: Owner; seq: number; undo: IntentCall | null }) => Promise<void>;

/** Below the heartbeat limit of long activities by a wide margin. */
const heartbeatEveryMs = 2_000;

/**
 * A host that does not answer is asked again for this long: a libvirtd that restarts is back by then. Activities
 * that wait for a host on purpose have a patience of their own.
 */
const unreachableMs = 20_000;
const internalAttempts = 10;

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
  const timer = row.class === 'long' ? setInterval(beat, heartbeatEveryMs) : undefined;
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
    if (row.mutates && row.where === 'control' && envelope.owner && admit) {
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
  if (call.signal.aborted && call.cancelRequested()) {
    return error instanceof DroverError && error.code !== 'Cancelled'
      ? failure(error, false)
      : new CancelledFailure('cancelled as asked');
  }
  if (error instanceof DroverError) {
    const late = error.code === 'HypervisorUnreachable' && Date.now() - scheduledTimestampMs > unreachableMs;
    // Cancelled without a request is a worker that stops, or an attempt that was given up: the next one goes on.
    const again = error.code === 'Cancelled' || (error.retryable && !late);
    return failure(error, again);
  }
  if (error instanceof Error && error.name === 'CancelledFailure') return error;
  const message = error instanceof Error ? error.message : String(error);
  return failure(new DroverError('Internal', message, { cause: error }), attempt < internalAttempts);
}

function failure(error: DroverError, retryable: boolean): ApplicationFailure {
  return ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nonRetryable: !retryable,
    details: [error.toRecord()],
    cause: error,
  });
}
