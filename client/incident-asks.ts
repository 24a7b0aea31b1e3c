/** What people answer to a recovery: Temporal updates, which it accepts or refuses itself. */
import { WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { recoveryQueue } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { Incident } from '../model/incident.js';
import type { OperationAsk } from '../model/operation.js';
import { mayOperate } from './ask.js';
import type { Caller } from './caller.js';
import { asDroverError, isAway } from './failures.js';
import { hasWorker } from './progress.js';

export type IncidentAction = 'approve' | 'reject' | 'attest';

/** An update waits for a worker, not longer than this. */
const limitMs = 60_000;

/** Throws what the recovery says against it, WrongState where none runs, WorkerMissing when nobody takes it up in time. */
export async function answerIncident(
  caller: Caller,
  { id, host, workflowId }: Pick<Incident, 'id' | 'host' | 'workflowId'>,
  action: IncidentAction,
  comment: string | null,
): Promise<{ said: string }> {
  mayOperate(caller);
  const { name: by, role } = caller.identity;
  const temporal = await caller.temporal();
  if ((await hasWorker(temporal, caller.cloud, recoveryQueue(caller.cloud))) === false) {
    throw new DroverError('WorkerMissing', `no worker runs that could hear it`, {
      hint: 'start one with `drover worker`, then answer again; nothing was sent',
    });
  }
  const ask: OperationAsk = { by, role, way: null, ...(comment === null ? {} : { comment }) };
  try {
    return await temporal.client.withDeadline(Date.now() + limitMs, () =>
      temporal.client.workflow
        .getHandle(workflowId)
        .executeUpdate<{ said: string }, [OperationAsk]>(action, { args: [ask] }),
    );
  } catch (error) {
    throw told(error, id, host, action);
  }
}

function told(error: unknown, id: string, host: string, action: IncidentAction): DroverError {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isAway(error)) {
    const message = `no worker answered within ${limitMs / 1000} s, so it is not known whether it was heard`;
    return new DroverError('WorkerMissing', message, {
      hint: `see with \`drover doctor\` whether a worker runs, then with \`drover incident show ${id}\` what is so`,
      cause: error,
    });
  }
  const failure = asDroverError(error, `${action} of the recovery of ${host}`);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
  const nobody =
    failure.code === 'NotFound' ||
    error instanceof WorkflowNotFoundError ||
    /No registered handler|completed before the Update/i.test(`${failure.message} ${cause?.message ?? ''}`);
  if (!nobody) return failure;
  return new DroverError('WrongState', `no recovery of ${host} runs: there is nothing to ${action}`, {
    hint: `see \`drover incident show ${id}\`; \`drover host recover ${host}\` goes on with what is left`,
    cause: error,
  });
}

/** What is fenced stays so, and evacuations that have begun come to their end. */
export async function cancelIncident(
  caller: Caller,
  { host, workflowId }: Pick<Incident, 'host' | 'workflowId'>,
): Promise<void> {
  mayOperate(caller);
  const { client } = await caller.temporal();
  try {
    await client.workflow.getHandle(workflowId).cancel();
  } catch (error) {
    const failure = asDroverError(error, `the recovery of ${host}`);
    if (failure.code !== 'NotFound') throw failure;
    throw new DroverError('WrongState', `no recovery of ${host} runs: there is nothing to cancel`, {
      hint: `see \`drover incident show ${host}\``,
    });
  }
}
