/** Follows a run on the screen. */
import type { RunView } from '../client/run-view.js';
import { assertSucceeded, watchRun } from '../client/watch-run.js';
import type { Context } from './context.js';
import { StillRunning } from './errors.js';
import { printData } from './output.js';
import { openProgress } from './progress.js';
import { liveLines, runChanges, runEnd } from './run-lines.js';
import { runDetails } from './views.js';
import { interruptible, type WaitOptions } from './waiting.js';

/** Throws what the run came to, unless it succeeded. */
export async function watchCommand(
  context: Context,
  id: string,
  { timeoutSeconds }: Pick<WaitOptions, 'timeoutSeconds'>,
): Promise<void> {
  const people = context.output.format === 'table';
  const stream = people ? process.stdout : process.stderr;
  const progress = openProgress(stream);
  let last: RunView | undefined;
  try {
    await interruptible(async (signal) => {
      for await (const view of watchRun(context, id, { signal, timeoutSeconds })) {
        for (const text of runChanges(last, view)) progress.line(text);
        progress.live(liveLines(view));
        last = view;
      }
    });
    if (last && last.state !== 'running') progress.line(runEnd(last));
  } finally {
    progress.end();
  }
  if (!people && last) await printData(context.output, runDetails(last));
  if (last && last.state !== 'running') return assertSucceeded(last);
  const hint = `follow it with \`drover run watch ${id}\`, cancel it with \`drover run cancel ${id}\``;
  throw new StillRunning(`run ${id} still runs and goes on`, hint);
}
