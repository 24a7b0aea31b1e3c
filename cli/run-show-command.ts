/** `drover run show`: what the operator asks next is answered at once. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { listRunItems } from '../activities/inventory/run-items.js';
import type { RetryStep } from '../client/run-left.js';
import { prepareRetry } from '../client/run-retry.js';
import { viewRun, type RunView } from '../client/run-view.js';
import { DroverError } from '../model/errors.js';
import type { RunItemRecord } from '../model/run.js';
import { withContext, type Context } from './context.js';
import { printData, printList, printOne, write } from './output.js';
import { paintState } from './paint.js';
import { oneLine } from './run-lines.js';
import { idOf, named } from './run-named.js';
import { retryLine } from './run-retry-command.js';
import { headOf, partsOf } from './run-show.js';
import { describeResult } from './texts.js';
import { runDetails, runItem } from '../client/views.js';

const itemStates = ['done', 'failed', 'refused', 'cancelled', 'not-started'] as const;

export function registerShow(run: Command): void {
  run
    .command('show')
    .description('Show a run: its steps, what it waits for, who did what, and what had trouble and why.')
    .argument(...named)
    .option('--items', 'all items that have ended, and what came of each')
    .addOption(new Option('--state <state>', 'with --items: only those in this state').choices(itemStates))
    .option('--step <id>', 'with --items: only those of this step')
    .action((id: string, _options: unknown, command: Command) =>
      withContext(command, async (context) => {
        const options = command.opts<ItemOptions>();
        const found = await idOf(context, id);
        await (options.items ? showItems(context, found, options) : show(context, found));
      }),
    );
}

interface ItemOptions {
  items?: true;
  state?: RunItemRecord['state'] | undefined;
  step?: string | undefined;
}

async function showItems(context: Context, id: string, { state, step }: ItemOptions): Promise<void> {
  const rows = await listRunItems(context.inventory, id, { state, step });
  // Throws for a run that nobody knows; and runs of an older drover have their items in the steps.
  const { steps } = await viewRun(context, id);
  const items = rows.length > 0 ? rows.map(runItem) : steps.flatMap((of) => oldItems(of, { state, step }));
  const such = state === undefined ? '' : ` ${state}`;
  await printList(context.output, items, columns, `no items${such} so far`);
}

type Row = Omit<ReturnType<typeof runItem>, 'endedAt'> & { endedAt: string | null };

const oldItems = ({ id, items }: RunView['steps'][number], { state, step }: ItemOptions): Row[] =>
  items
    .filter((item) => (state ?? item.state) === item.state && (step ?? id) === id)
    .map((item) => ({ ...item, step: id, attempt: 1, endedAt: null }));

const columns = [
  { title: 'STEP', value: (row: Row) => row.step },
  { title: 'ITEM', value: (row: Row) => row.label },
  { title: 'STATE', value: (row: Row) => paintState(row.state) },
  { title: 'TRIED', value: (row: Row) => row.attempt },
  { title: 'RECORDED', value: (row: Row) => row.endedAt },
  {
    title: 'RESULT',
    value: (row: Row) =>
      (row.error === null ? describeResult(row.result) : oneLine(row.error.message)) || null,
  },
];

async function show(context: Context, id: string): Promise<void> {
  const view = await viewRun(context, id);
  if (context.output.format !== 'table') return printData(context.output, runDetails(view));
  await printOne(context.output, view, headOf(view));
  for (const line of partsOf(view)) write(line);
  for (const line of await retryLines(context, view)) write(line);
}

/** What `run retry` would do, where it may. */
async function retryLines(context: Context, view: RunView): Promise<string[]> {
  if (!['failed', 'cancelled', 'rejected'].includes(view.state) || view.parent || view.retriedBy) return [];
  try {
    const { steps } = await prepareRetry(context, view.id);
    return ['', `\`drover run retry ${view.id}\` would do:`, ...inShort(steps)];
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    return ['', `can't be tried again: ${error.message}`];
  }
}

const inShort = (steps: readonly RetryStep[]): string[] => steps.map((step) => `  ${retryLine(step)}`);
