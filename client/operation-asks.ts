/** What people ask of an operation that runs: Temporal updates, which the operation itself accepts or refuses. */
import { WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { instanceWorkflowId } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { OperationAsk } from '../model/operation.js';
import { mayOperate } from './ask.js';
import type { Caller } from './caller.js';
import { asDroverError, isAway } from './failures.js';
import { hasWorker } from './progress.js';

export const operationAsks = ['abort', 'force-complete'] as const;
export interface AskOfOperation {
  action: (typeof operationAsks)[number];
  way: OperationAsk['way'];
}

/** An update waits for a worker, and what it does for the hypervisor: not longer than this. */
const limitMs = 60_000;

/**
 * Throws what the operation says against it (WrongState, PermissionDenied, …), WrongState where none runs that takes the
 * ask, WorkerMissing when nobody takes it up in time.
 */
export async function askOperation(
  caller: Caller,
  instance: { id: string; name: string },
  { action, way }: AskOfOperation,
): Promise<{ said: string }> {
  mayOperate(caller);
  const { identity, cloud } = caller;
  const temporal = await caller.temporal();
  if ((await hasWorker(temporal, cloud)) === false) {
    throw new DroverError(
      'WorkerMissing',
      `no worker runs that could ${action} the migration of ${instance.name}`,
      {
        hint: `start one with \`drover worker\`, then ask again; nothing was sent`,
      },
    );
  }
  const ask: OperationAsk = { by: identity.name, role: identity.role, way };
  try {
    return await temporal.client.withDeadline(Date.now() + limitMs, () =>
      temporal.client.workflow
        .getHandle(instanceWorkflowId(cloud, instance.id))
        .executeUpdate<{ said: string }, [OperationAsk]>(action, { args: [ask] }),
    );
  } catch (error) {
    throw told(error, instance.name, action);
  }
}

function told(error: unknown, name: string, action: string): DroverError {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isAway(error)) {
    return new DroverError(
      'WorkerMissing',
      `no worker answered within ${limitMs / 1000} s, so it is not known whether it was asked to ${action}`,
      {
        hint: `see with \`drover doctor\` whether a worker runs, then with \`drover instance show ${name}\` what is so`,
        cause: error,
      },
    );
  }
  const failure = asDroverError(error, `${action} of the migration of ${name}`);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
  const nobody =
    failure.code === 'NotFound' ||
    error instanceof WorkflowNotFoundError ||
    /No registered handler|completed before the Update/i.test(`${failure.message} ${cause?.message ?? ''}`);
  if (!nobody) return failure;
  return new DroverError(
    'WrongState',
    `no live migration of ${name} is under way: there is nothing to ${action}`,
    {
      hint: `see with \`drover instance show ${name}\` what runs on it`,
      cause: error,
    },
  );
}
