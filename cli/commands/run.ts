import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { listRunViews } from '../../client/run-list.js';
import { viewRun } from '../../client/run-view.js';
import { cancelRun, findRun } from '../../client/runs.js';
import { DroverError } from '../../model/errors.js';
import { withContext, type Context } from '../context.js';
import { printData, printList, printOne, write } from '../output.js';
import { paintState } from '../paint.js';
import { countsOf, itemLine, oneLine } from '../run-lines.js';
import { spanText } from '../texts.js';
import { runDetails, runSummary } from '../views.js';
import { addWaitOptions, waitOptionsOf } from '../waiting.js';
import { watchCommand } from '../watch.js';

const named = ['<run>', 'id of the run, or its first characters'] as const;

export function register(run: Command): void {
  run
    .command('list')
    .description('List the runs, newest first.')
    .option('--runbook <name>', 'only those of this runbook')
    .addOption(
      new Option('--state <state>', 'only those in this state').choices([
        'running',
        'succeeded',
        'failed',
        'cancelled',
      ]),
    )
    .option('--limit <number>', 'how many', whole, 20)
    .action(async (_options: unknown, command: Command) => {
      await withContext(command, async (context) => {
        const by = command.opts<{ runbook?: string; state?: 'running'; limit: number }>();
        const rows = (await listRunViews(context, by)).map(runSummary);
        await printList(
          context.output,
          rows,
          columns,
          'no runs yet: start one with `drover runbook run NAME`',
        );
      });
    });
  run
    .command('show')
    .description('Show a run: its steps, and each item with what came of it.')
    .argument(...named)
    .action((id: string, _options: unknown, command: Command) =>
      withContext(command, (context) => show(context, id)),
    );
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
  addWaitOptions(
    run
      .command('cancel')
      .description('Cancel a run: what it has running is cancelled, and what the runbook says is taken back.')
      .argument(...named),
  ).action((id: string, _options: unknown, command: Command) =>
    withContext(command, (context) => cancel(context, id, command)),
  );
}

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
  { title: 'STARTED', value: (row: Row) => row.startedAt },
  { title: 'TOOK', value: (row: Row) => spanText(row.startedAt, row.endedAt) },
];

/** A run that no worker has taken up yet is not in the inventory: then the id must be the whole one. */
const idOf = async (context: Context, id: string): Promise<string> => (await findRun(context, id))?.id ?? id;

async function show(context: Context, id: string): Promise<void> {
  const view = await viewRun(context, await idOf(context, id));
  if (context.output.format !== 'table') return printData(context.output, runDetails(view));
  const { state, startedAt, endedAt, error, undone, outputs, notes } = view;
  const values = (of: Record<string, unknown>) =>
    Object.entries(of)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(' ');
  const running = view.running.map(
    (one) =>
      `${one.label}: ${one.kind}, ${one.phase ?? 'waiting'}${one.percent === null ? '' : ` ${one.percent} %`}`,
  );
  await printOne(context.output, view, [
    ['run', view.id],
    ['runbook', `${view.runbook} ${values(view.inputs)}`.trim()],
    ['state', `${paintState(state)}${view.phase === null || view.phase === state ? '' : `, ${view.phase}`}`],
    ['started', `${startedAt} by ${view.by}`],
    ['ended', endedAt === null ? undefined : `${endedAt} (${spanText(startedAt, endedAt)})`],
    ['error', error === null ? undefined : oneLine(error.message)],
    ['outputs', values(outputs) || undefined],
    ['taken back', undone.join('\n') || undefined],
    ['note', notes.join('\n') || undefined],
    ['workflow', view.workflowUrl ?? undefined],
  ]);
  for (const step of view.steps) {
    write(`\nstep ${step.id}: ${paintState(step.state)}${countsOf(step)}, ${step.name}`);
    for (const item of step.items) write(`  ${itemLine(item)}`);
  }
  if (running.length > 0) write(`\nunder way:\n${running.map((text) => `  ${text}`).join('\n')}`);
}

async function cancel(context: Context, given: string, command: Command): Promise<void> {
  const options = waitOptionsOf(command);
  const id = await idOf(context, given);
  await cancelRun(context, id);
  context.say(`asked run ${id} to stop and to take back what its runbook says`);
  if (!options.wait) return;
  try {
    await watchCommand(context, id, options);
    context.say(`run ${id} was done before it could be cancelled`);
  } catch (error) {
    // That it was cancelled is what was asked for.
    if (!(error instanceof DroverError && error.code === 'Cancelled')) throw error;
  }
}
