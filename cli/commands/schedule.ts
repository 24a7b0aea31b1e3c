import { Option, type Command } from 'commander';
import type { ScheduleView } from '../../client/schedule-view.js';
import {
  createSchedule,
  deleteSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  triggerSchedule,
} from '../../client/schedules.js';
import { DroverError } from '../../model/errors.js';
import { windowText } from '../../model/window.js';
import { parseKeyValues } from '../../runbooks/language/inputs.js';
import { withContext, type Context } from '../context.js';
import { printData, printList, printOne, write } from '../output.js';

const named = ['<schedule>', 'its name; RUNBOOK.NAME for one in the file of a runbook'] as const;
const collect = (value: string, before: string[]): string[] => [...before, value];

export function register(schedule: Command): void {
  const add = (name: string, summary: string): Command => schedule.command(name).description(summary);
  const does = (command: Command, work: (context: Context, name: string) => Promise<void>): Command =>
    command
      .argument(...named)
      .action((name: string) => withContext(command, (context) => work(context, name)));

  const list = add('list', 'List the schedules: those of runbooks and those that people made.');
  list.action(() =>
    withContext(list, async (context) => {
      const rows = await listSchedules(context, context.config.runbooks);
      const empty = 'no schedules: `drover schedule create RUNBOOK`, or `on` in a runbook';
      return printList(context.output, rows, columns, empty);
    }),
  );
  does(add('show', 'Show a schedule: when it runs, and what came of it last.'), show);
  does(add('next', 'The next five times of a schedule.'), async (context, name) => {
    const { next } = await getSchedule(context, name, context.config.runbooks);
    return printList(context.output, next, nextColumns, 'none: it is paused, or over');
  });
  const create = add('create', 'Make a schedule of a runbook.')
    .argument('<runbook>', 'its name')
    .requiredOption('--name <name>', 'its own name')
    .option('--cron <fields>', 'five fields, as in crontab: "0 3 * * sun"; day and weekday must both hold')
    .option('--every <duration>', 'instead of --cron: 6h')
    .option('--timezone <zone>', 'of cron and window, such as Europe/Berlin; default UTC')
    .option('--jitter <duration>', 'each start is put off by up to so long, at random')
    .addOption(
      new Option('--overlap <what>', 'when the run before still goes on; default skip').choices([
        'skip',
        'buffer-one',
        'cancel-other',
        'allow-all',
      ]),
    )
    .option('--catch-up <duration>', 'how late a start may be made up for after an outage; default 1m')
    .option('--window <window>', 'outside of it nothing is started: "sat,sun 22:00-04:00", "22:00-04:00"')
    .option('-i, --input <name=value>', 'an input; may be given more than once', collect, []);
  create.action((runbook: string) => withContext(create, (context) => make(context, create, runbook)));
  const commented = (name: string, summary: string): Command =>
    add(name, summary).option('--comment <text>', 'why: recorded with your name');
  for (const [command, work] of [
    [
      commented('pause', 'No more times come, until it is resumed. A run that goes on goes on.'),
      pauseSchedule,
    ],
    [commented('resume', 'Let a schedule go on after a pause.'), resumeSchedule],
  ] as const)
    does(command, async (context, name) =>
      say(context, await work(context, name, command.opts<{ comment?: string }>().comment ?? null)),
    );
  does(add('trigger', 'Start what a schedule runs, now.'), async (context, name) =>
    say(context, await triggerSchedule(context, name, context.config.runbooks)),
  );
  does(add('delete', 'Remove a schedule that somebody made.'), async (context, name) =>
    say(context, await deleteSchedule(context, name)),
  );
}

async function say({ output }: Context, answer: { said: string }): Promise<void> {
  if (output.format === 'table') write(answer.said);
  else await printData(output, answer);
}

interface Flags {
  name: string;
  cron?: string;
  every?: string;
  timezone?: string;
  jitter?: string;
  overlap?: string;
  catchUp?: string;
  window?: string;
  input: string[];
}

async function make(context: Context, command: Command, runbook: string): Promise<void> {
  const { input, window, catchUp, ...given } = command.opts<Flags>();
  const trigger = {
    ...given,
    ...(catchUp === undefined ? {} : { 'catch-up': catchUp }),
    ...(window === undefined ? {} : { window: windowOf(window) }),
    inputs: parseKeyValues(input),
  };
  const view = await createSchedule(context, { runbook, folders: context.config.runbooks, trigger });
  return print(context, view);
}

/** `sat,sun 22:00-04:00`; what stands in it is checked with all else. */
function windowOf(text: string): Record<string, unknown> {
  const match = /^(?:([a-z]+(?:\s*,\s*[a-z]+)*)\s+)?(\d\d:\d\d)\s*-\s*(\d\d:\d\d)$/i.exec(text.trim());
  if (match === null)
    throw new DroverError('InvalidInput', `--window takes days and times of day, not "${text}"`, {
      hint: 'write it as "sat,sun 22:00-04:00", or "22:00-04:00" for every day',
    });
  const [, days, from, to] = match;
  const on = days?.toLowerCase().split(/\s*,\s*/);
  return { ...(on === undefined ? {} : { days: on }), from, to };
}

async function show(context: Context, name: string): Promise<void> {
  return print(context, await getSchedule(context, name, context.config.runbooks));
}

const whenOf = ({ cron, every, timezone }: ScheduleView): string =>
  every === null ? `${cron} ${timezone}` : `every ${every}`;
const lastOf = ({ last }: ScheduleView): string | null =>
  last && `${last.state} ${last.at}${last.says === null ? '' : `: ${last.says}`}`;
const stateOf = ({ paused, problem }: ScheduleView): string =>
  problem !== null ? `cannot run: ${problem}` : paused ? 'paused' : 'on';

async function print({ output }: Context, view: ScheduleView): Promise<void> {
  const { window, inputs, next, last } = view;
  await printOne(output, view, [
    ['name', view.name],
    ['runbook', view.runbook],
    ['made by', view.by ?? `the file of ${view.runbook}`],
    ['when', whenOf(view)],
    ['jitter', view.jitter ?? undefined],
    ['window', window === null ? undefined : windowText(window, view.timezone)],
    ['overlap', view.overlap],
    ['catch-up', view.catchUp],
    [
      'inputs',
      Object.entries(inputs)
        .map(([key, value]) => `${key}=${String(value)}`)
        .join(' ') || null,
    ],
    ['state', stateOf(view)],
    ['note', view.note],
    ['next', next.map(({ at, open }) => `${at}${open ? '' : ' (outside of its window)'}`).join('\n') || null],
    ['last', lastOf(view)],
    ['run', last?.run ?? undefined],
    ['workflow', last?.workflowUrl ?? undefined],
    ['skipped, since one still ran', view.skippedOverlap || undefined],
    ['missed in outages', view.missed || undefined],
  ]);
}

const columns = [
  { title: 'NAME', value: (row: ScheduleView) => row.name },
  { title: 'RUNBOOK', value: (row: ScheduleView) => row.runbook },
  { title: 'WHEN', value: whenOf },
  { title: 'STATE', value: stateOf },
  { title: 'NEXT', value: (row: ScheduleView) => row.next[0]?.at ?? null },
  { title: 'LAST', value: lastOf },
];

type Next = ScheduleView['next'][number];
const nextColumns = [
  { title: 'AT', value: (row: Next) => row.at },
  { title: 'WINDOW', value: (row: Next) => (row.open ? 'open' : 'closed: it is skipped') },
];
