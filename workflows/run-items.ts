/** Items of a step with for-each, in this workflow: so many at a time. */
import { pool } from './pool.js';
import { runItem } from './run-item.js';
import { withItems } from './run-list.js';
import { heldBack } from './run-pause.js';
import { showRun } from './run-report.js';
import { Rows } from './run-rows.js';
import { isFirstLanguage, type Limits, type Target, type Work } from './run-state.js';

/** What each answered is put into `results`. */
export async function runHere(
  work: Work,
  fresh: readonly Target[],
  { parallel, mayFail }: Limits,
  results: unknown[],
): Promise<{ notStarted: number }> {
  const { run, step, record, rt } = work;
  const rows = new Rows(work);
  const items = isFirstLanguage(run) ? fresh : await withItems(fresh, rt);
  const more = () => record.failed <= mayFail && !rt.cancelled();
  const one = async (target: Target): Promise<void> => {
    const place = results.length;
    results.push(null);
    const { item, attempt } = await runItem(work, target);
    results[place] = item.result;
    if (step.undo && item.state === 'done') (run.takeBack[step.id] ??= []).push(target);
    await rows.add(item, attempt);
    showRun(run, rt);
  };
  const { notStarted } = await pool(items, parallel, more, one, heldBack(run, rt));
  await rows.neverStarted(notStarted);
  await rows.flush();
  return { notStarted: notStarted.length };
}
