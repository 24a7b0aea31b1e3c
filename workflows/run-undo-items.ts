/** Takes back what a step did, item by item. */
import type { PlainStep } from '../model/runbook.js';
import { evaluateCondition } from '../runbooks/language/expressions.js';
import { pool } from './pool.js';
import { runOnce, scopeOfTarget } from './run-item.js';
import type { Target, Undone, Work } from './run-state.js';
import { asDroverError } from './unwind.js';

/** What is taken back of the whole step (null), or of one item: a sentence, and whether it is done. */
export async function undoOne(
  work: Work,
  target: Target | null,
): Promise<{ done: boolean; said: string } | null> {
  const { undo, retry: _, ...step } = work.step;
  if (undo === undefined) return null;
  try {
    const scope = scopeOfTarget(work.scope, target);
    if (undo.if !== undefined && !evaluateCondition(undo.if, scope)) return null;
  } catch (cause) {
    // For example the result of a step that was cancelled: the others are taken back all the same.
    return { done: false, said: `${undo.uses}: NOT done: ${asDroverError(cause).message}` };
  }
  const back: PlainStep = { ...step, uses: undo.uses, with: undo.with ?? {} };
  const item = await runOnce({ ...work, step: back }, target);
  const said = `${undo.uses} ${item.label}`;
  return item.state === 'done'
    ? { done: true, said: `${said}: done` }
    : { done: false, said: `${said}: NOT done: ${item.error?.message}` };
}

/** The items, the last first, so many at a time. */
export async function undoTargets(work: Work, targets: readonly Target[], parallel: number): Promise<Undone> {
  const undone: Undone = { done: 0, notDone: [] };
  const one = async (target: Target): Promise<void> => {
    const answer = await undoOne(work, target);
    if (answer?.done) undone.done += 1;
    else if (answer && undone.notDone.length < mostTold) undone.notDone.push(answer.said);
  };
  await pool(targets.toReversed(), parallel, () => true, one);
  return undone;
}

export const mostTold = 100;
