import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { listRunViews } from '../../client/run-list.js';
import { withContext } from '../context.js';
import { printList } from '../output.js';
import { paintState } from '../paint.js';
import { registerAsks } from '../run-ask-commands.js';
import { registerRetry } from '../run-retry-command.js';
import { idOf, named } from '../run-named.js';
import { registerShow } from '../run-show-command.js';
import { spanText } from '../texts.js';
import { runSummary } from '../../client/views.js';
import { waitOptionsOf } from '../waiting.js';
import { watchCommand } from '../watch.js';

export function register(run: Command): void {
  run
    .command('list')
    .description('List the runs, newest first.')
    .option('--runbook <name>', 'only those of this runbook')
    .addOption(new Option('--state <state>', 'only those in this state').choices(states))
    .option('--parts', 'also runs that are a step of another run')
    .option('--limit <number>', 'how many', whole, 20)
    .action(async (_options: unknown, command: Command) => {
      await withContext(command, async (context) => {
        const by = command.opts<{ runbook?: string; state?: 'running'; parts?: true; limit: number }>();
        const rows = (await listRunViews(context, by)).map(runSummary);
        const empty =
          (by.runbook ?? by.state) ? 'no such runs' : 'no runs yet: start one with `drover runbook run NAME`';
        await printList(context.output, rows, columns, empty);
      });
    });
  registerShow(run);
  run
    .command('watch')
    .description('Follow a run to its end; its exit code is that of the run.')
    .argument(...named)
    .option(
      '--timeout <duration>',
      'stop watching after this long, such as 10m; the run goes on (exit code 6)',
    )
    .action((id: string, _options: unknown, command: Command) =>
      withContext(command, async (context) =>
        watchCommand(context, await idOf(context, id), waitOptionsOf(command)),
      ),
    );
  registerAsks(run);
  registerRetry(run);
}

const states = ['running', 'succeeded', 'failed', 'cancelled', 'rejected'];

function whole(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
}

type Row = ReturnType<typeof runSummary>;
const columns = [
  { title: 'ID', value: (row: Row) => row.id },
  { title: 'RUNBOOK', value: (row: Row) => row.runbook },
  { title: 'STATE', value: (row: Row) => paintState(row.state) },
  { title: 'PHASE', value: (row: Row) => (row.phase === row.state ? null : row.phase) },
  { title: 'BY', value: (row: Row) => row.by || null },
  { title: 'STARTED', value: (row: Row) => row.startedAt },
  { title: 'TOOK', value: (row: Row) => spanText(row.startedAt, row.endedAt) },
];
