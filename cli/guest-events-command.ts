import type { Command } from 'commander';
import { listGuestEvents, type GuestEventRecord } from '../activities/inventory/guest-events.js';
import { getInstance } from '../activities/inventory/instances.js';
import { withContext } from './context.js';
import { printList } from './output.js';
import { toNumber } from './schema-options.js';

export function registerGuestEvents(instance: Command): void {
  instance
    .command('events')
    .description(
      'List what an instance did by itself, newest first: crashed, shut down, lost its memory, and why.',
    )
    .argument('<instance>', 'name or id of the instance')
    .option('--limit <number>', 'how many', '20')
    .action(async (name: string, _options: unknown, command: Command) => {
      const limit = toNumber('limit', command.opts<{ limit: string }>().limit);
      await withContext(command, async ({ inventory, output }) => {
        const { id } = await getInstance(inventory, name);
        const rows = await listGuestEvents(inventory, id, limit);
        await printList(output, rows, columns, `${name} did nothing by itself`);
      });
    });
}

const columns = [
  { title: 'AT', value: (row: GuestEventRecord) => row.at },
  { title: 'HOST', value: (row: GuestEventRecord) => row.host },
  { title: 'EVENT', value: (row: GuestEventRecord) => row.event },
  { title: 'CAUSE', value: (row: GuestEventRecord) => row.cause ?? `not looked at yet (${row.detail})` },
  { title: 'TO DO', value: (row: GuestEventRecord) => row.todo },
];
