/** A step with for-each. */
import { DroverError } from '../model/errors.js';
import { evaluate } from '../runbooks/language/expressions.js';
import { batchSize, eventsInOneRun, eventsOf, runBatches } from './run-batches.js';
import { runHere } from './run-items.js';
import { listTargets, queryOf } from './run-list.js';
import { isFirstLanguage, type Target, type Work } from './run-state.js';
import { count } from './run-values.js';

/** Lists of results are for expressions: no longer than this. */
const longestResult = 250;

/**
 * A query is asked again after each round, so that what arrives meanwhile is worked on too; it ends when it is
 * empty or when nothing is listed that was not tried. `targets`: exactly those, since they were approved.
 */
export async function runForEach(work: Work, targets: Target[] | null): Promise<unknown[]> {
  const { run, step, record, scope, rt } = work;
  const parallel = count(step['max-parallel'] ?? 1, scope, `${step.id}: max-parallel`, 1);
  const tried = new Set<string>();
  let results: unknown[] = [];
  if (!isFirstLanguage(run)) work.results = results;
  for (;;) {
    const fresh = targets ?? (await listTargets(work, tried));
    if (fresh.length === 0) return results;
    record.total += fresh.length;
    for (const { key } of fresh) tried.add(key);
    const limits = { parallel, mayFail: allowed(work) };
    const cost = eventsOf(step) * fresh.length;
    const isSmall = isFirstLanguage(run) || run.events + cost <= eventsInOneRun;
    if (isSmall) run.events += cost;
    const { notStarted } = isSmall
      ? await runHere(work, fresh, limits, results)
      : await runBatches(work, fresh, limits, batchSize(step));
    if (!isFirstLanguage(run) && record.total > longestResult) results = work.results = [];
    if (rt.cancelled()) throw new DroverError('Cancelled', `${step.id} was cancelled`);
    if (notStarted > 0 || targets !== null || queryOf(step['for-each']) === null) return results;
  }
}

/** How many items may fail: a number, or a part of those that were listed so far. */
function allowed({ step, scope, record }: Work): number {
  const value = evaluate(step['max-failures'] ?? 0, scope);
  const part = typeof value === 'string' ? /^(\d{1,3})%$/.exec(value.trim()) : null;
  if (part) return Math.floor((Number(part[1]) / 100) * record.total);
  return count(value, scope, `${step.id}: max-failures`, 0);
}
