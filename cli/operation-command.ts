/** The command of an operation, made from its declaration. */
import type { Command } from 'commander';
import type { Ask } from '../client/operations.js';
import { parseInput } from '../client/ask.js';
import { operations } from '../workflows/catalogue.js';
import { operationKey, type Operation } from '../workflows/define.js';
import type { Context } from './context.js';
import { withContext } from './context.js';
import { counted } from './texts.js';
import { addFlags, flagName, inputFromFlags, schemaFlags } from './schema-options.js';
import { addWaitOptions, confirm, waitOptionsOf } from './waiting.js';

/** A command for each operation on `target`, but those that have one of their own. */
export function registerOperations(
  parent: Command,
  target: Operation['target'],
  own: readonly string[],
): void {
  for (const operation of operations.values()) {
    if (operation.target === target && !own.includes(operation.name)) register(parent, operation);
  }
}

/** What is gone for good needs a yes, and waits for what runs instead of being refused. */
const destroys = (operation: Operation): boolean =>
  operation.target === 'instance' && operation.whenGone === 'deleted';

function register(parent: Command, operation: Operation): void {
  const { target } = operation;
  const flags = schemaFlags(operation.input, [target]);
  const what = target === 'host' ? 'name of the host' : 'name or id of the instance';
  const command = parent.command(operation.name).description(operation.summary).argument(`<${target}>`, what);
  addFlags(command, flags);
  if (destroys(operation)) {
    command.option('--yes', 'do not ask');
    command.option('--cancel-running', 'cancel the operation that runs on it instead of waiting for its end');
  }
  addOperationOptions(command);
  command.action(async (subject: string) => {
    const values = command.opts<Record<string, unknown>>();
    const input = { [target]: subject, ...inputFromFlags(flags, values) };
    await runOperation(command, operation, input, async (context) => {
      if (!destroys(operation) || values['dryRun'] === true) return {};
      const { getInstance } = await import('../activities/inventory/instances.js');
      const { name, state, host, disks } = await getInstance(context.inventory, subject);
      const losing =
        values['keepDisks'] === true
          ? 'its disks are kept'
          : `its data is lost (${counted(disks.filter((disk) => !disk.readonly).length, 'disk')})`;
      await confirm(
        `${operation.name} removes instance ${name} (${state}, on ${host ?? 'no host'}) for good; ${losing}.`,
        values['yes'] === true,
      );
      return { whenBusy: { way: values['cancelRunning'] === true ? 'cancel' : 'wait' } };
    });
  });
}

export function addOperationOptions(command: Command): Command {
  return addWaitOptions(command)
    .option('--dry-run', 'check and choose a host, but do nothing')
    .option('--idempotency-key <key>', 'the same key again gets the answer of the first request');
}

/** Checks the input before anything is opened, so that a wrong flag is told even when nothing else works. */
export async function runOperation(
  command: Command,
  operation: Operation,
  input: Record<string, unknown>,
  more: (context: Context) => Promise<Partial<Ask>> = () => Promise.resolve({}),
): Promise<void> {
  const { idempotencyKey, dryRun = false } = command.opts<{ idempotencyKey?: string; dryRun?: boolean }>();
  const options = { ...waitOptionsOf(command), dryRun };
  parseInput(operation, input, (key) => (key === operation.target ? `the ${key}` : `--${flagName(key)}`));
  await withContext(command, async (context) => {
    const ask = { operation: operationKey(operation), input, idempotencyKey, ...(await more(context)) };
    const { operateCommand } = await import('./operate.js');
    await operateCommand(context, ask, options);
  });
}
