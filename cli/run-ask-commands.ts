/** What people ask of a run that runs: approve, reject, pause, resume, cancel. */
import type { Command } from 'commander';
import { askRun, decide, type Ask } from '../client/run-asks.js';
import type { RunAction } from '../model/run.js';
import { DroverError } from '../model/errors.js';
import { withContext, type Context } from './context.js';
import { printData, write } from './output.js';
import { idOf, named } from './run-named.js';
import { addWaitOptions, waitOptionsOf } from './waiting.js';
import { watchCommand } from './watch.js';

export function registerAsks(run: Command): void {
  const approve = 'Approve what a run waits for; it goes on once enough persons have.';
  const reject = 'Reject what a run waits for: the step ends as rejected.';
  for (const [action, description] of [['approve', approve] as const, ['reject', reject] as const]) {
    withComment(
      run
        .command(action)
        .description(description)
        .argument(...named),
    )
      .option('--step <id>', 'the step, where more than one waits')
      .action((id: string, _options: unknown, command: Command) =>
        withContext(command, async (context) => {
          const { step = null } = command.opts<{ step?: string }>();
          const found = await idOf(context, id);
          const decided = await decide(context, found, { action, step, comment: commentOf(command) });
          await tell(context, { action, ...decided });
        }),
      );
  }
  const pause = 'Pause a run: what is under way ends, and nothing new begins until it is resumed.';
  const resume = 'Resume a run that was paused.';
  for (const [action, description] of [['pause', pause] as const, ['resume', resume] as const]) {
    withComment(
      run
        .command(action)
        .description(description)
        .argument(...named),
    ).action((id: string, _options: unknown, command: Command) =>
      withContext(command, async (context) => {
        const found = await idOf(context, id);
        const { said } = await askRun(context, found, { action, comment: commentOf(command) });
        await tell(context, { run: found, action, step: null, said });
      }),
    );
  }
  const cancel = 'Cancel a run: what it has running is cancelled, and what the runbook says is taken back.';
  addWaitOptions(
    withComment(
      run
        .command('cancel')
        .description(cancel)
        .argument(...named),
    ).option('--no-undo', 'take nothing back: leave all as it is'),
  ).action((id: string, _options: unknown, command: Command) =>
    withContext(command, async (context) => cancelRun(context, await idOf(context, id), command)),
  );
}

const withComment = (command: Command): Command =>
  command.option('-c, --comment <text>', 'why: recorded with your name');

function commentOf(command: Command): string | null {
  const { comment } = command.opts<{ comment?: string }>();
  if (comment !== undefined && comment.length > commentLimit) {
    const message = `--comment takes at most ${commentLimit} characters, not ${comment.length}`;
    throw new DroverError('InvalidInput', message, { hint: 'say it shorter, or link to more' });
  }
  return comment?.trim() || null;
}

const commentLimit = 1000;

interface Told {
  run: string;
  action: RunAction;
  step: string | null;
  said: string;
}

async function tell(context: Context, told: Told): Promise<void> {
  if (context.output.format !== 'table')
    return printData(context.output, { ...told, by: context.identity.name });
  return write(`run ${told.run}: ${told.said}`);
}

async function cancelRun(context: Context, id: string, command: Command): Promise<void> {
  const options = waitOptionsOf(command);
  const { undo } = command.opts<{ undo: boolean }>();
  const ask: Ask = { action: 'cancel', undo, comment: commentOf(command) };
  const { said } = await askRun(context, id, ask);
  if (!options.wait) return tell(context, { run: id, action: 'cancel', step: null, said });
  context.say(`run ${id}: ${said}`);
  try {
    await watchCommand(context, id, options);
    context.say(`run ${id} was done before it could be cancelled`);
  } catch (error) {
    // That it was cancelled is what was asked for.
    if (!(error instanceof DroverError && error.code === 'Cancelled')) throw error;
  }
}
