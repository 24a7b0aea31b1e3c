/**
 * The interpreter of runbooks: a plain function over the runtime. It takes the frozen plan step by step, each
 * item as an operation of its own, and writes one record of what was done, refused, failed and never started.
 */
import { recordItem, type RunStepRecord } from '../model/run.js';
import { DroverError, type ErrorRecord } from '../model/errors.js';
import type { Step } from '../model/runbook.js';
import { evaluate, evaluateCondition, type Scope } from '../runbooks/language/expressions.js';
import { runItem, runItems } from './run-items.js';
import { describeRun, label, remainder } from './run-report.js';
import { outcomeOf, scopeOf, type Run } from './run-state.js';
import type { Runtime } from './runtime.js';
import { asDroverError } from './unwind.js';

export interface RunAnswer {
  outputs: Record<string, unknown>;
}

export async function runRunbook(run: Run, rt: Runtime): Promise<RunAnswer> {
  const { order } = run;
  const { plan } = order;
  // Shielded: a record whose run was cancelled at once would stay open for ever.
  await rt.shielded(() =>
    rt.activity('startRun', {
      id: order.id,
      runbook: plan.name,
      digest: plan.digest,
      source: plan.source,
      inputs: order.inputs,
      by: order.by,
    }),
  );
  let error: DroverError | null = null;
  try {
    for (const [index, step] of plan.runbook.steps.entries()) {
      await runStep(run, step, run.steps[index] as RunStepRecord, rt);
    }
  } catch (cause) {
    error = asDroverError(cause);
  }
  return rt.shielded(() => close(run, error, rt));
}

/** What the run tells; of a run that failed, as much as its steps got to. */
function outputsOf(run: Run): Record<string, unknown> {
  const outputs: Record<string, unknown> = {};
  for (const [name, template] of Object.entries(run.order.plan.runbook.outputs)) {
    try {
      outputs[name] = evaluate(template, scopeOf(run));
    } catch (error) {
      // It speaks of a step that was never reached, or of what it did not answer: nothing is known of it.
      if (!(error instanceof DroverError)) throw error;
      outputs[name] = null;
    }
  }
  return outputs;
}

/** Takes back what a cancelled run asked to be taken back, writes the record, and ends as the record says. */
async function close(run: Run, error: DroverError | null, rt: Runtime): Promise<RunAnswer> {
  const outputs = outputsOf(run);
  const undone = error?.code === 'Cancelled' ? await undoSteps(run, rt) : [];
  const state = error === null ? 'succeeded' : error.code === 'Cancelled' ? 'cancelled' : 'failed';
  rt.show(state, describeRun(run.steps, undone, error));
  const record: ErrorRecord | null = error?.toRecord() ?? null;
  await rt.activity('finishRun', {
    id: run.order.id,
    state,
    steps: run.steps,
    undone,
    outputs,
    error: record,
  });
  if (error) throw error;
  return { outputs };
}

async function runStep(run: Run, step: Step, record: RunStepRecord, rt: Runtime): Promise<void> {
  const scope = scopeOf(run);
  const show = () => rt.show(step.id, describeRun(run.steps, [], null));
  try {
    record.name = String(evaluate(step.name ?? step.uses, scope));
    if (step.if !== undefined && !evaluateCondition(step.if, scope)) {
      record.state = 'skipped';
      run.outcomes[step.id] = outcomeOf(record, null);
      return;
    }
    record.state = 'running';
    show();
    const result =
      step['for-each'] === undefined
        ? await single(run, step, record, scope, rt)
        : await runItems(run, step, record, scope, rt, show);
    const left = remainder(record);
    if (left)
      throw new DroverError('RunFailed', left, {
        details: { step: step.id, items: record.items.filter((i) => i.state !== 'done') },
      });
    record.state = 'succeeded';
    run.outcomes[step.id] = outcomeOf(record, result);
  } catch (cause) {
    const error = asDroverError(cause);
    record.state = error.code === 'Cancelled' ? 'cancelled' : 'failed';
    record.error = error.toRecord();
    run.outcomes[step.id] = outcomeOf(record, null);
    throw error;
  }
  show();
}

async function single(
  run: Run,
  step: Step,
  record: RunStepRecord,
  scope: Scope,
  rt: Runtime,
): Promise<unknown> {
  record.total = 1;
  const item = await runItem(run, step, scope, null, rt);
  recordItem(record, item);
  if (item.state !== 'done' && rt.cancelled()) throw new DroverError('Cancelled', `${step.id} was cancelled`);
  return item.result;
}

async function undoSteps(run: Run, rt: Runtime): Promise<string[]> {
  const said: string[] = [];
  for (const [index, step] of [...run.order.plan.runbook.steps.entries()].toReversed()) {
    const state = run.steps[index]?.state;
    if (!step.undo || state === 'pending' || state === 'skipped') continue;
    const scope = scopeOf(run);
    try {
      if (step.undo.if !== undefined && !evaluateCondition(step.undo.if, scope)) continue;
    } catch (cause) {
      // For example the result of a step that was cancelled: the others are taken back all the same.
      said.push(`${step.undo.uses}: NOT done: ${asDroverError(cause).message}`);
      continue;
    }
    const item = await runItem(
      run,
      { ...step, uses: step.undo.uses, with: step.undo.with ?? {} },
      scope,
      null,
      rt,
    );
    said.push(
      item.state === 'done'
        ? `${step.undo.uses} ${label(item)}: done`
        : `${step.undo.uses} ${label(item)}: NOT done: ${item.error?.message}`,
    );
  }
  return said;
}
