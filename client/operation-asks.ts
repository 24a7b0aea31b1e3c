/** What people ask of a live migration that runs. */
import { controlQueue, instanceWorkflowId } from '../model/addresses.js';
import type { OperationAsk } from '../model/operation.js';
import type { Caller } from './caller.js';
import { updateOperation } from './update.js';

export const operationAsks = ['abort', 'force-complete'] as const;
export interface AskOfOperation {
  action: (typeof operationAsks)[number];
  way: OperationAsk['way'];
}

/**
 * Throws what the operation says against it (WrongState, PermissionDenied, …), WrongState where none runs that takes the
 * ask, WorkerMissing when nobody takes it up in time.
 */
export async function askOperation(
  caller: Caller,
  { id, name }: { id: string; name: string },
  { action, way }: AskOfOperation,
): Promise<{ said: string }> {
  return updateOperation(caller, {
    workflowId: instanceWorkflowId(caller.cloud, id),
    queue: controlQueue(caller.cloud),
    action,
    ask: { way },
    of: `the migration of ${name}`,
    noWorker: {
      message: `no worker runs that could ${action} the migration of ${name}`,
      hint: 'start one with `drover worker`, then ask again; nothing was sent',
    },
    notHeard: {
      whether: `it was asked to ${action}`,
      hint: `see with \`drover doctor\` whether a worker runs, then with \`drover instance show ${name}\` what is so`,
    },
    nothingRuns: {
      message: `no live migration of ${name} is under way: there is nothing to ${action}`,
      hint: `see with \`drover instance show ${name}\` what runs on it`,
    },
  });
}
