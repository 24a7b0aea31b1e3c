/** Follows a run on the screen. */
import type { RunView } from '../client/run-view.js';
import { assertSucceeded, watchRun } from '../client/watch-run.js';
import type { Context } from './context.js';
import { StillRunning } from './errors.js';
import { printData } from './output.js';
import { openProgress } from './progress.js';
import { approveCommand, liveLines, runEnd, runTeller } from './run-lines.js';
import { untilWords } from './run-texts.js';
import { runDetails } from '../client/views.js';
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
  const tell = runTeller();
  let last: RunView | undefined;
  try {
    await interruptible(async (signal) => {
      for await (const look of watchRun(context, id, { signal, timeoutSeconds })) {
        for (const text of tell(look)) progress.line(text);
        progress.live(liveLines(look.view));
        last = look.view;
      }
    });
    if (last && last.state !== 'running') progress.line(runEnd(last));
  } finally {
    progress.end();
  }
  if (!people && last) await printData(context.output, runDetails(last));
  if (last && last.state !== 'running') return assertSucceeded(last);
  throw goesOn(id, last);
}

function goesOn(id: string, view: RunView | undefined): StillRunning {
  const follow = `follow it with \`drover run watch ${id}\``;
  const cancel = `cancel it with \`drover run cancel ${id}\``;
  const [wait] = view?.waits ?? [];
  if (view && wait) {
    const until = `until ${untilWords(wait.approval.until)}`;
    return new StillRunning(
      `run ${id} waits for approval of step ${wait.step} ${until}`,
      `approve it with \`${approveCommand(wait, view.waits)}\`, ${cancel}`,
    );
  }
  if (view?.paused) {
    return new StillRunning(
      `run ${id} is paused by ${view.paused.by}`,
      `resume it with \`drover run resume ${id}\`, ${cancel}`,
    );
  }
  return new StillRunning(`run ${id} still runs and goes on`, `${follow}, ${cancel}`);
}
