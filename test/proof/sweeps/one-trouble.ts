import type { Trouble } from '../../../virtual/trouble.js';
import { judge, type Verdict } from '../judge.js';
import { heard, type VirtualTrial } from '../stage.js';
import type { Variant } from './kinds.js';

/** Calls that close an operation, or reconcile another: one that fails for ever leaves it open for the janitor. */
const closing = new Set(['beginOperation', 'startUnwind', 'commit', 'finishOperation', 'reconciled', 'look']);
/** The change and its record are one call: its error tells nothing of what it did. */
const onHosts = new Set([
  'beginHostOperation',
  'finishHostOperation',
  'setHostEnabled',
  'setHost',
  'startMaintenance',
  'endMaintenance',
]);

/** One trouble at a step; everything is judged by what is so afterwards. */
export const variant = (name: string, trouble: Omit<Trouble, 'at'>): Variant => ({
  name,
  at: (trial, step) => withTrouble(trial, { at: step, ...trouble }),
});

/** One that nobody may notice: it ends as it does without. */
export const unnoticed = (name: string, trouble: Omit<Trouble, 'at'>): Variant => ({
  name,
  async at(trial, step) {
    const verdict = await withTrouble(trial, { at: step, ...trouble });
    const wanted = trial.one.fails ?? 'done';
    if (verdict === null || verdict.outcome === wanted) return verdict;
    return { ...verdict, wrong: [...verdict.wrong, `step ${step}: ended ${verdict.outcome}, not ${wanted}`] };
  },
});

export async function withTrouble(
  trial: VirtualTrial,
  trouble: Trouble & { at: number },
): Promise<Verdict | null> {
  const handle = trial.stage.ask(trial, { troubles: [trouble] });
  const ending = await handle.ending;
  const hit = handle.calls[trouble.at - 1];
  if (hit === undefined) return null;
  const forGood = trouble.fail !== undefined && trouble.fail.once !== true;
  // Where a guest may be is looked up before it is looked for: as the look, it is a part of the closing then.
  const looks =
    hit === 'getHost' &&
    (trial.one.reconciles === true || handle.calls.slice(0, trouble.at).includes('startUnwind'));
  const excused = trouble.terminate === true || (forGood && (closing.has(hit) || onHosts.has(hit) || looks));
  return told(await judge(trial, heard(ending), excused), handle.calls, trouble.at);
}

/** Says of each wrong at which call it was, and what followed. */
export function told({ outcome, wrong }: Verdict, calls: readonly string[], at: number): Verdict {
  const where = `call ${at} (${calls[at - 1]}), then ${calls.slice(at).join(', ')}: ${outcome}`;
  return { outcome, wrong: wrong.map((what) => `${where}: ${what}`) };
}
