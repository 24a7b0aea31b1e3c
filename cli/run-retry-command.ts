/** `drover run retry`: a new run of the same plan for what the first did not achieve. */
import type { Command } from 'commander';
import type { RetryStep } from '../client/run-left.js';
import { prepareRetry, type PreparedRetry } from '../client/run-retry.js';
import { startRun } from '../client/runs.js';
import { mayOperate } from '../client/permissions.js';
import { withContext, type Context } from './context.js';
import { printData, write } from './output.js';
import { followRun } from './run-command.js';
import { itemLine } from './run-lines.js';
import { idOf, named } from './run-named.js';
import { counted } from './texts.js';
import { addRunOptions, waitOptionsOf } from './waiting.js';

export function registerRetry(run: Command): void {
  addRunOptions(
    run
      .command('retry')
      .description(
        'Try a run again where it had trouble: the same runbook and inputs, without what it achieved, and of a step ' +
          'with trouble only the items that are not done.',
      )
      .argument(...named),
  ).action((id: string, _options: unknown, command: Command) =>
    withContext(command, async (context) => retry(context, await idOf(context, id), command)),
  );
}

async function retry(context: Context, id: string, command: Command): Promise<void> {
  const options = waitOptionsOf(command);
  const { dryRun, force = false } = command.opts<{ dryRun?: true; force?: true }>();
  if (!dryRun) mayOperate(context);
  const prepared = await prepareRetry(context, id);
  if (dryRun) return tellRetry(context, prepared);
  const started = await startRun(context, prepared, { force, retry: prepared.retry });
  context.say(`run ${started.id} tries run ${id} again`);
  return followRun(context, started, options);
}

async function tellRetry(
  context: Context,
  { plan, inputs, retry: { of }, steps }: PreparedRetry,
): Promise<void> {
  if (context.output.format !== 'table') {
    return printData(context.output, { retryOf: of, runbook: plan.name, digest: plan.digest, inputs, steps });
  }
  const given = Object.entries(inputs).map(([name, value]) => ` ${name}=${String(value)}`);
  write(`would try run ${of} again: ${plan.name}${given.join('')}, as it was then; nothing was done`);
  for (const step of steps) {
    write(`  ${retryLine(step)}`);
    for (const item of step.items) write(`    ${itemLine({ ...item, result: null })}`);
  }
}

/** `move: 3 items that are not done`. */
export function retryLine({ id, does, items }: RetryStep): string {
  if (does === 'kept') return `${id}: taken over`;
  if (does === 'all') return `${id}: all of it`;
  if (items.length === 0) return `${id}: nothing is left of its items`;
  return `${id}: ${counted(items.length, 'item')} that ${items.length === 1 ? 'is' : 'are'} not done`;
}
