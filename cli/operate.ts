/** Runs one operation from the command line: dry run, or start and follow. */
import { dryRun, type DryRun } from '../client/dry-run.js';
import { closedAnswer } from '../client/operation-answer.js';
import { startOperation, type Ask, type StartAnswer } from '../client/operations.js';
import { DroverError } from '../model/errors.js';
import type { Context } from './context.js';
import { tellDrill } from './drill.js';
import { followStarted, tellAnswer } from './follow-operation.js';
import { printData, write } from './output.js';
import { secondsText } from './texts.js';
import { interruptible, type WaitOptions } from './waiting.js';

export interface OperateOptions extends WaitOptions {
  dryRun: boolean;
}

export async function operateCommand(context: Context, ask: Ask, options: OperateOptions): Promise<void> {
  if (options.dryRun && ask.operation === 'host.recover')
    return tellDrill(context, String(ask.input['host']));
  if (options.dryRun) return tellDryRun(context, await dryRun(context, ask));
  const begun = Date.now();
  const { timeoutSeconds } = options;
  // Waiting for what runs already may take long: Ctrl-C ends that, too.
  const answer = await interruptible((signal) =>
    startOperation(context, {
      ...ask,
      whenBusy: ask.whenBusy && { ...ask.whenBusy, signal, timeoutSeconds },
    }),
  );
  if (answer.kind === 'closed') return tellClosed(context, ask, answer);
  const left =
    timeoutSeconds === undefined ? undefined : Math.max(0, timeoutSeconds - (Date.now() - begun) / 1000);
  return followStarted(context, answer.started, { wait: options.wait, timeoutSeconds: left });
}

async function tellClosed(
  context: Context,
  ask: Ask,
  { record }: Extract<StartAnswer, { kind: 'closed' }>,
): Promise<void> {
  context.say(`this request was answered before: it ended at ${record.endedAt}`);
  const subject =
    [ask.input['name'], ask.input['instance'], ask.input['host']].find((name) => typeof name === 'string') ??
    '';
  await tellAnswer(context, closedAnswer(record, subject));
}

const timeText = (expected: DryRun['expected']): string =>
  expected === null ? 'unknown, none was done yet' : `${secondsText(expected.seconds)} (${expected.basis})`;

async function tellDryRun(context: Context, dry: DryRun): Promise<void> {
  if (context.output.format === 'table') {
    write(
      `${dry.operation} of ${dry.subject}: ${dry.allowed ? 'would start' : 'would be refused'}; nothing was done`,
    );
    if (dry.placement) {
      const { host, others, rejected } = dry.placement;
      if (host !== null) write(`  host ${host}${others.length > 0 ? ` (next: ${others.join(', ')})` : ''}`);
      for (const one of rejected) write(`  not ${one.host}: ${one.reason}`);
    }
    if (dry.would !== null) write(`  ${dry.would}`);
    if (dry.allowed) write(`  expected time: ${timeText(dry.expected)}`);
    for (const text of dry.notes) write(`  ${text}`);
  } else await printData(context.output, dry);
  const [first] = dry.refusals;
  if (first) throw new DroverError(first.code, first.message, { details: first.details, hint: first.hint });
}
