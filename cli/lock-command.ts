/** Locking and unlocking: operations as all others, which answer with the instance as it is then. */
import type { Command } from 'commander';
import { getInstance } from '../activities/inventory/instances.js';
import { startOperation, outcomeOf, waitForResult } from '../client/operations.js';
import { instanceView } from '../client/views.js';
import { withContext, type Context } from './context.js';
import { addOperationOptions } from './operation-command.js';
import { printData, write } from './output.js';
import { interruptible, waitOptionsOf } from './waiting.js';

export function registerLock(instance: Command): void {
  addOperationOptions(
    instance
      .command('lock')
      .description('Refuse every operation that changes the instance, but for administrators.')
      .argument('<instance>', 'name or id of the instance')
      .requiredOption('--reason <text>', 'why, for whoever finds it locked'),
  ).action((name: string, _options: unknown, command: Command) =>
    change(command, 'lock', { instance: name, reason: command.opts<{ reason: string }>().reason }),
  );
  addOperationOptions(
    instance
      .command('unlock')
      .description('Allow operations on the instance again: for who locked it, and for administrators.')
      .argument('<instance>', 'name or id of the instance'),
  ).action((name: string, _options: unknown, command: Command) =>
    change(command, 'unlock', { instance: name }),
  );
}

async function change(
  command: Command,
  kind: 'lock' | 'unlock',
  input: { instance: string; reason?: string },
): Promise<void> {
  const { dryRun = false, idempotencyKey } = command.opts<{ dryRun?: boolean; idempotencyKey?: string }>();
  const options = waitOptionsOf(command);
  await withContext(command, async (context) => {
    const ask = { operation: `instance.${kind}`, input, idempotencyKey };
    if (dryRun || !options.wait) {
      const { operateCommand } = await import('./operate.js');
      return operateCommand(context, ask, { ...options, dryRun });
    }
    await toItsEnd(context, ask, options.timeoutSeconds);
    const found = await getInstance(context.inventory, input.instance);
    if (context.output.format !== 'table') return printData(context.output, instanceView(found));
    const { name, locked, lockReason } = found;
    return write(locked ? `instance ${name} is locked: ${lockReason}` : `instance ${name} is unlocked`);
  });
}

async function toItsEnd(
  context: Context,
  ask: Parameters<typeof startOperation>[1],
  timeoutSeconds: number | undefined,
): Promise<void> {
  const answer = await startOperation(context, ask);
  if (answer.kind === 'closed') return void outcomeOf(answer.record);
  const { started } = answer;
  const end = await interruptible((signal) => waitForResult(context, started, { signal, timeoutSeconds }));
  if (end.ended) return;
  const { StillRunning } = await import('./errors.js');
  throw new StillRunning(
    `${ask.operation} of ${started.label} still waits and goes on`,
    'does a worker run? `drover doctor` says',
  );
}
