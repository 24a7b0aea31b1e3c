import type { Command } from 'commander';
import { getInstance } from '../activities/inventory/instances.js';
import type { AskOfOperation } from '../client/operation-asks.js';
import { DroverError } from '../model/errors.js';
import type { OperationAsk } from '../model/operation.js';
import { withContext } from './context.js';
import { printData, write } from './output.js';

const ways = ['downtime', 'post-copy', 'pause'] as const;

/** What may be asked of a live migration while it runs. */
export function registerMoveAsks(instance: Command): void {
  instance
    .command('abort-migration')
    .description('Abort the live migration of an instance: it runs on where it was.')
    .argument('<instance>', 'name or id of the instance')
    .action((name: string, _options: unknown, command: Command) =>
      ask(name, command, { action: 'abort', way: null }),
    );
  instance
    .command('force-complete')
    .description('Bring the live migration of an instance to its end, at the cost of a downtime.')
    .argument('<instance>', 'name or id of the instance')
    .option('--way <way>', `${ways.join(', ')}; default the best that its policy or an administrator allows`)
    .action((name: string, _options: unknown, command: Command) =>
      ask(name, command, { action: 'force-complete', way: wayOf(command.opts<{ way?: string }>().way) }),
    );
}

async function ask(name: string, command: Command, what: AskOfOperation): Promise<void> {
  await withContext(command, async (context) => {
    const { id, name: label } = await getInstance(context.inventory, name);
    const { askOperation } = await import('../client/operation-asks.js');
    const { said } = await askOperation(context, { id, name: label }, what);
    if (context.output.format === 'table') return write(said);
    return printData(context.output, { instance: id, name: label, ...what, said });
  });
}

function wayOf(given: string | undefined): OperationAsk['way'] {
  if (given === undefined) return null;
  const way = ways.find((known) => known === given);
  if (way !== undefined) return way;
  throw new DroverError('InvalidInput', `"${given}" is no way to complete a migration`, {
    hint: `the ways are ${ways.join(', ')}`,
  });
}
