/** A batch, as the workflow that it is: some of the items of one step of a run. */
import { pendingStep } from '../model/run.js';
import { DroverError } from '../model/errors.js';
import type { BatchAnswer, BatchOrder } from './run-batches.js';
import { runHere } from './run-items.js';
import { showRun } from './run-report.js';
import { newRun, type Run, type Work } from './run-state.js';
import { undoTargets } from './run-undo-items.js';
import type { Runtime } from './runtime.js';

/** A batch as the interpreter has it in hand. */
export function newBatch({ order, step, outcomes }: BatchOrder): Run {
  const run = newRun(order);
  const record = pendingStep(step.id, step.name ?? step.uses ?? step.id);
  return { ...run, steps: [{ ...record, state: 'running' }], outcomes, phase: step.id };
}

/** The batch's side. It answers also when it was cancelled: the run has to know what was done. */
export async function runBatch(run: Run, batch: BatchOrder, rt: Runtime): Promise<BatchAnswer> {
  const { step, outcomes, limits, targets } = batch;
  const [record] = run.steps;
  if (record === undefined) throw new DroverError('InvalidInput', 'a batch has one step');
  const { id, inputs, plan } = run.order;
  const scope = { declared: plan.runbook.inputs, inputs, steps: outcomes, run: { id } };
  const work: Work = { run, step, record, scope, rt, underWay: new Set(), results: null };
  record.total = targets.length;
  showRun(run, rt);
  const undone = batch.undo ? await undoTargets(work, targets, limits.parallel) : null;
  const { notStarted } = batch.undo ? { notStarted: 0 } : await runHere(work, targets, limits, []);
  const { done, failed, refused, items } = record;
  return { done, failed, refused, notStarted, items, takeBack: run.takeBack[step.id] ?? [], undone };
}
