import type { Command } from 'commander';
import { getInstance } from '../activities/inventory/instances.js';
import { cancelOperation, waitForResult } from '../client/operations.js';
import { progressOf } from '../client/progress.js';
import { instanceWorkflowId } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import { operations } from '../workflows/catalogue.js';
import { withContext, type Context } from './context.js';
import { followStarted } from './follow-operation.js';
import { write } from './output.js';
import { addWaitOptions, waitOptionsOf } from './waiting.js';

/** Following and cancelling the operation that runs on an instance. */
export function registerFollowing(instance: Command): void {
  addWaitOptions(
    instance
      .command('watch')
      .description('Follow the operation that runs on an instance to its end.')
      .argument('<instance>', 'name or id of the instance'),
  ).action((name: string, _options: unknown, command: Command) =>
    withContext(command, async (context) => {
      const started = await running(context, name);
      await followStarted(context, started, waitOptionsOf(command));
    }),
  );
  addWaitOptions(
    instance
      .command('cancel')
      .description('Cancel the operation that runs on an instance; what it did is taken back.')
      .argument('<instance>', 'name or id of the instance'),
  ).action((name: string, _options: unknown, command: Command) => cancel(name, command));
}

async function running(context: Context, name: string) {
  const { id, name: label, operation: operationId } = await getInstance(context.inventory, name);
  const workflowId = instanceWorkflowId(context.cloud, id);
  const found = await progressOf(await context.temporal(), workflowId).catch((error: unknown) => {
    if (error instanceof DroverError) throw error;
    return undefined;
  });
  const operation = found?.running ? operations.get(found.type) : undefined;
  if (!operation) {
    throw new DroverError('WrongState', `no operation runs on ${label}`, {
      hint: `see what was done to it with \`drover instance history ${label}\``,
    });
  }
  return { operation, input: {}, subject: id, label, id: operationId ?? '', workflowId, runId: undefined };
}

async function cancel(name: string, command: Command): Promise<void> {
  const options = waitOptionsOf(command);
  await withContext(command, async (context) => {
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
  });
}
