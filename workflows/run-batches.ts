/**
 * Long lists: parts of the items of a step as workflows of their own, so that no history gets too long. One batch
 * after the other; what may fail in all is handed on.
 */
import type { RunItemRecord } from '../model/run.js';
import type { PlainStep } from '../model/runbook.js';
import { references, type StepOutcome } from '../runbooks/language/expressions.js';
import { childRun } from './run-child.js';
import { whileGoing } from './run-pause.js';
import { showRun } from './run-report.js';
import { keptItems, Rows } from './run-rows.js';
import type { Limits, Run, RunOrder, Target, Undone, Work } from './run-state.js';
import { asDroverError } from './unwind.js';

export interface BatchOrder {
  order: RunOrder;
  step: PlainStep;
  /** Of the steps that the step's expressions speak of. */
  outcomes: Record<string, StepOutcome>;
  targets: Target[];
  limits: Limits;
  /** Takes the items back. */
  undo: boolean;
}

export interface BatchAnswer {
  done: number;
  failed: number;
  refused: number;
  notStarted: number;
  /** The first that are not done. */
  items: RunItemRecord[];
  /** To be taken back when the run is cancelled. */
  takeBack: Target[];
  undone: Undone | null;
}

/** What items a workflow works on itself may cost its history, about; the rest is done in batches. */
export const eventsInOneRun = 7000;

/**
 * Events that an item costs the history, in the worst case that is no accident: a child and a name to look up, a wait
 * for whoever holds it, and between attempts a timer.
 */
export const eventsOf = (step: PlainStep): number => 8 + 20 * (step.retry?.attempts ?? 1);

const largestBatch = 250;
export const batchSize = (step: PlainStep): number =>
  Math.max(1, Math.min(largestBatch, Math.floor(eventsInOneRun / eventsOf(step))));

export async function runBatches(
  work: Work,
  targets: readonly Target[],
  { parallel, mayFail }: Limits,
  size: number,
): Promise<{ notStarted: number }> {
  const { run, step, record, rt } = work;
  let from = 0;
  let notStarted = 0;
  while (from < targets.length && record.failed <= mayFail && notStarted === 0) {
    await whileGoing(run, rt).catch(() => undefined);
    if (rt.cancelled()) break;
    const part = targets.slice(from, from + size);
    from += size;
    const limits = { parallel, mayFail: mayFail - record.failed };
    const answer = await oneBatch(work, { targets: part, limits, undo: false });
    record.done += answer.done;
    record.failed += answer.failed;
    record.refused += answer.refused;
    record.items.push(...answer.items.slice(0, Math.max(0, keptItems - record.items.length)));
    if (step.undo) (run.takeBack[step.id] ??= []).push(...answer.takeBack);
    notStarted += answer.notStarted;
    showRun(run, rt);
  }
  const rest = targets.slice(from);
  await new Rows(work).neverStarted(rest);
  return { notStarted: notStarted + rest.length };
}

export async function oneBatch(
  work: Work,
  part: Pick<BatchOrder, 'targets' | 'limits' | 'undo'>,
): Promise<BatchAnswer> {
  const { run, step, rt } = work;
  const { id, by, plan } = run.order;
  run.batches += 1;
  const number = run.batches;
  const order: BatchOrder = {
    ...part,
    order: orderOf(run, step),
    step,
    outcomes: outcomesFor(work),
  };
  const workflowId = rt.batchWorkflowId(id, step.id, number);
  const label = `${plan.name} ${step.id}, batch ${number}: ${part.targets.length} items`;
  const request = {
    type: 'run-batch' as const,
    workflowId,
    label,
    runbook: plan.name,
    by,
    argument: { ...order },
  };
  try {
    return await whenFree(work, workflowId, async () => (await childRun(work, request)) as BatchAnswer);
  } catch (cause) {
    return lostBatch(work, part.targets, cause);
  }
}

/** A batch of this run before it was reset may still run: it does the same work, so it comes first. */
async function whenFree<T>({ rt }: Work, workflowId: string, start: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (asDroverError(error).details['workflowId'] !== workflowId) throw error;
      await rt.activity('waitForWorkflow', { workflowId, seconds: 3600 });
    }
  }
}

/** Somebody terminated it: what it recorded stands, of the others it is not known how they ended. */
async function lostBatch(work: Work, targets: Target[], cause: unknown): Promise<BatchAnswer> {
  const error = asDroverError(cause).toRecord();
  const items = targets.map(({ key, label }): RunItemRecord => ({
    key,
    label,
    state: 'cancelled',
    error,
    result: null,
  }));
  const { run, step, rt } = work;
  for (let from = 0; from < items.length; from += 50) {
    const some = items.slice(from, from + 50);
    // As attempt 0: no row that is there is replaced.
    await rt.shielded(() =>
      rt.activity('recordItems', { run: run.order.id, step: step.id, attempt: 0, items: some }),
    );
  }
  const none = { done: 0, refused: 0, notStarted: 0, takeBack: [], undone: null };
  return { ...none, failed: targets.length, items: items.slice(0, keptItems) };
}

/** What a batch needs of the order: its own step, and the runbooks only if the step runs one. */
function orderOf({ order }: Run, step: PlainStep): RunOrder {
  const { runbooks, ...plan } = order.plan;
  const { name, description, inputs } = plan.runbook;
  const usesRunbook = [step.uses, step.undo?.uses].some((uses) => uses?.startsWith('runbook.'));
  return {
    ...order,
    retry: null,
    plan: {
      ...plan,
      source: '',
      runbook: { name, description, inputs, steps: [step], outputs: {} },
      ...(usesRunbook && runbooks ? { runbooks } : {}),
    },
  };
}

function outcomesFor({ step, scope }: Work): Record<string, StepOutcome> {
  const speaks = references([step.with, step.undo, step.retry]).steps;
  const conditions = typeof step.undo?.if === 'string' ? references(`\${{ ${step.undo.if} }}`).steps : [];
  const wanted = new Set([...speaks, ...conditions]);
  return Object.fromEntries(Object.entries(scope.steps).filter(([id]) => wanted.has(id)));
}
