/** The operation that runs on an instance: following and cancelling it. */
import { WorkflowNotFoundError } from '@temporalio/common';
import { getInstance } from '../activities/inventory/instances.js';
import { asDroverError } from '../client/failures.js';
import { cancelOperation, waitForResult, type Started } from '../client/operations.js';
import { progressOf } from '../client/progress.js';
import { instanceWorkflowId } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import { operations } from '../workflows/catalogue.js';
import type { Context } from './context.js';
import { followStarted } from './follow-operation.js';
import { write } from './output.js';
import type { WaitOptions } from './waiting.js';

export async function watchInstance(context: Context, name: string, options: WaitOptions): Promise<void> {
  await followStarted(context, await running(context, name), options);
}

async function running(context: Context, name: string): Promise<Started> {
  const { id, name: label, operation: operationId } = await getInstance(context.inventory, name);
  const workflowId = instanceWorkflowId(context.cloud, id);
  const found = await progressOf(await context.temporal(), workflowId).catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw asDroverError(error, `the operation of ${label}`);
  });
  const operation = found?.running ? operations.get(found.type) : undefined;
  if (!operation) {
    throw new DroverError('WrongState', `no operation runs on ${label}`, {
      hint: `see what was done to it with \`drover instance history ${label}\``,
    });
  }
  return { operation, input: {}, subject: id, label, id: operationId ?? '', workflowId, runId: undefined };
}

export async function cancelInstance(context: Context, name: string, options: WaitOptions): Promise<void> {
  const started = await running(context, name);
  const { label, operation } = started;
  await cancelOperation(context, started);
  context.say(`asked ${operation.name} of ${label} to stop and to take back what it did`);
  if (!options.wait) return;
  try {
    const ended = await waitForResult(context, started, options);
    write(
      ended.ended
        ? `${operation.name} of ${label} was past the point of no return: it is done`
        : `${operation.name} of ${label} is still taking back what it did`,
    );
  } catch (error) {
    if (!(error instanceof DroverError && error.code === 'Cancelled')) throw error;
    write(`${operation.name} of ${label} is cancelled`);
  }
}
