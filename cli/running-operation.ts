/** The operation that runs on an instance: following and cancelling it. */
import { WorkflowNotFoundError } from '@temporalio/common';
import { getInstance } from '../activities/inventory/instances.js';
import { asDroverError } from '../client/failures.js';
import type { Ended } from '../client/follow.js';
import { cancelOperation, waitForResult, type Started } from '../client/operations.js';
import { answerOf, type Answer } from '../client/operation-answer.js';
import { progressOf } from '../client/progress.js';
import { instanceWorkflowId } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import { operations } from '../workflows/catalogue.js';
import type { Context } from './context.js';
import { StillRunning } from './errors.js';
import { followStarted } from './follow-operation.js';
import { printData, write } from './output.js';
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
  return {
    operation,
    input: {},
    subject: id,
    label,
    id: operationId ?? '',
    workflowId,
    host: null,
    runId: undefined,
  };
}

export async function cancelInstance(context: Context, name: string, options: WaitOptions): Promise<void> {
  const started = await running(context, name);
  const { label, operation } = started;
  const answer = await answerOf(context, started);
  const tell = (text: string, now: Pick<Answer, 'state' | 'result'>): Promise<void> | void =>
    context.output.format === 'table' ? write(text) : printData(context.output, { ...answer, ...now });
  await cancelOperation(context, started);
  context.say(`asked ${operation.name} of ${label} to stop and to take back what it did`);
  if (!options.wait) return context.output.format === 'table' ? undefined : printData(context.output, answer);
  let ended: Ended;
  try {
    ended = await waitForResult(context, started, options);
  } catch (error) {
    if (!(error instanceof DroverError && error.code === 'Cancelled')) throw error;
    return tell(`${operation.name} of ${label} is cancelled`, { state: 'cancelled', result: null });
  }
  if (!ended.ended) {
    const message = `${operation.name} of ${label} is still taking back what it did`;
    throw new StillRunning(message, `follow it with \`drover instance watch ${label}\``);
  }
  return tell(`${operation.name} of ${label} was past the point of no return: it is done`, {
    state: 'succeeded',
    result: ended.result,
  });
}
