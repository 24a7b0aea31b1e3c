/** An ask of an operation that runs: a Temporal update, which the operation itself accepts or refuses. */
import { WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { DroverError } from '../model/errors.js';
import type { OperationAsk } from '../model/operation.js';
import { mayAnswer, mayOperate } from './permissions.js';
import { recorded } from './trail.js';
import type { Caller } from './caller.js';
import { asDroverError, isAway } from './failures.js';
import { hasWorker } from './progress.js';

interface Update {
  workflowId: string;
  /** Where a worker must be to hear it. */
  queue: string;
  action: string;
  ask: Omit<OperationAsk, 'by' | 'role'>;
  /** Whose: `the migration of web-1`. */
  of: string;
  /** What is told where nobody can hear it, where nobody answered in time, and where nothing runs that takes it. */
  noWorker: Told;
  notHeard: { whether: string; hint: string };
  nothingRuns: Told;
}

interface Told {
  message: string;
  hint: string;
}

/** An update waits for a worker, and what it does for the hypervisor: not longer than this. */
const limitMs = 60_000;

/** Throws what the operation says against it, WrongState where none runs, WorkerMissing when nobody takes it up in time. */
export async function updateOperation(caller: Caller, update: Update): Promise<{ said: string }> {
  const { workflowId, action, of, ask } = update;
  const details = { workflowId, way: ask.way, comment: ask.comment };
  return recorded(caller, { action: `operation.${action}`, subject: of, details }, () =>
    send(caller, update),
  );
}

async function send(caller: Caller, update: Update): Promise<{ said: string }> {
  // To abort a move takes nothing from anybody; all else is an answer for which a person stands.
  if (update.action === 'abort') mayOperate(caller);
  else mayAnswer(caller, update.action);
  const { workflowId, queue, action, noWorker } = update;
  const { name: by, role } = caller.identity;
  const temporal = await caller.temporal();
  if ((await hasWorker(temporal, caller.cloud, queue)) === false)
    throw new DroverError('WorkerMissing', noWorker.message, { hint: noWorker.hint });
  try {
    return await temporal.client.withDeadline(Date.now() + limitMs, () =>
      temporal.client.workflow
        .getHandle(workflowId)
        .executeUpdate<{ said: string }, [OperationAsk]>(action, { args: [{ by, role, ...update.ask }] }),
    );
  } catch (error) {
    throw told(error, update);
  }
}

function told(error: unknown, { action, of, notHeard, nothingRuns }: Update): DroverError {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isAway(error)) {
    const message = `no worker answered within ${limitMs / 1000} s, so it is not known whether ${notHeard.whether}`;
    return new DroverError('WorkerMissing', message, { hint: notHeard.hint, cause: error });
  }
  const failure = asDroverError(error, `${action} of ${of}`);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
  const nobody =
    failure.code === 'NotFound' ||
    error instanceof WorkflowNotFoundError ||
    /No registered handler|completed before the Update/i.test(`${failure.message} ${cause?.message ?? ''}`);
  if (!nobody) return failure;
  return new DroverError('WrongState', nothingRuns.message, { hint: nothingRuns.hint, cause: error });
}
