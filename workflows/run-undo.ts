/** A run that is cancelled takes back what its steps did, the last first. */
import { operations } from './catalogue.js';
import { batchSize, eventsInOneRun, eventsOf, oneBatch } from './run-batches.js';
import { isFirstLanguage, recordOf, scopeOf, type Run, type Work } from './run-state.js';
import { mostTold, undoOne, undoTargets } from './run-undo-items.js';
import { count } from './run-values.js';
import type { Runtime } from './runtime.js';
import type { PlainStep } from '../model/runbook.js';

/** Sentences of what was taken back and what was not. */
export async function undoSteps(run: Run, rt: Runtime): Promise<string[]> {
  const steps = run.order.plan.runbook.steps.flatMap((step): PlainStep[] => [...(step.parallel ?? []), step]);
  const said: string[] = [];
  for (const step of steps.toReversed()) {
    const record = recordOf(run, step.id);
    const scope = scopeOf(run);
    const work: Work = { run, step, record, scope, rt, underWay: new Set(), results: null };
    if (!step.undo || !hasBegun(work)) continue;
    if (step['for-each'] === undefined || isFirstLanguage(run)) {
      const answer = await undoOne(work, null);
      if (answer) said.push(answer.said);
    } else said.push(...(await undoItems(work)));
  }
  return said;
}

/**
 * What an instance's operation did half-way it has taken back itself; an operation on a host may have done what
 * it does although it was cancelled.
 */
function hasBegun({ run, step, record }: Work): boolean {
  if (run.order.retry?.outcomes[step.id] !== undefined) return false;
  if (['pending', 'skipped', 'waiting', 'rejected'].includes(record.state)) return false;
  if (isFirstLanguage(run) || step['for-each'] !== undefined) return true;
  if (step.uses !== undefined && operations.get(step.uses)?.target === 'host') return record.refused === 0;
  return record.done > 0;
}

async function undoItems(work: Work): Promise<string[]> {
  const { run, step, scope } = work;
  const targets = run.takeBack[step.id] ?? [];
  const parallel = count(step['max-parallel'] ?? 1, scope, `${step.id}: max-parallel`, 1);
  const undone = { done: 0, notDone: [] as string[] };
  const cost = eventsOf(step) * targets.length;
  const isSmall = run.events + cost <= eventsInOneRun;
  if (isSmall) run.events += cost;
  const size = isSmall ? targets.length : batchSize(step);
  for (let end = targets.length; end > 0; end -= size) {
    const part = targets.slice(Math.max(0, end - size), end);
    const limits = { parallel, mayFail: part.length };
    const answer = isSmall
      ? await undoTargets(work, part, parallel)
      : (await oneBatch(work, { targets: part, limits, undo: true })).undone;
    undone.done += answer?.done ?? 0;
    undone.notDone.push(...(answer?.notDone ?? [`${step.undo?.uses}: a batch of ${part.length} was lost`]));
  }
  const done = undone.done === 0 ? [] : [`${step.undo?.uses} of ${undone.done} items of ${step.id}: done`];
  return [...done, ...undone.notDone.slice(0, mostTold)];
}
