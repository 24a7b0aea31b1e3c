/**
 * The interpreter of runbooks: a plain function over the runtime. It takes the frozen plan step by step, each
 * item as an operation of its own, and writes one record of what was done, refused, failed and never started.
 */
import type { Answer } from '../activities/types.js';
import { DroverError } from '../model/errors.js';
import type { RunFinish } from '../model/run.js';
import { evaluate } from '../runbooks/language/expressions.js';
import { resumeRun } from './run-pause.js';
import { describeRun, fitting, showRun } from './run-report.js';
import { isFirstLanguage, scopeOf, type Run } from './run-state.js';
import { followFailure, runFollowing, runStep } from './run-step.js';
import { undoSteps } from './run-undo.js';
import { seconds } from './run-values.js';
import type { Runtime } from './runtime.js';
import { asDroverError } from './unwind.js';

export interface RunAnswer {
  outputs: Record<string, unknown>;
}

export async function runRunbook(run: Run, rt: Runtime): Promise<RunAnswer> {
  const { order } = run;
  const { plan } = order;
  // Shielded: a record whose run was cancelled at once would stay open for ever.
  const { ended = null } =
    ((await rt.shielded(
      () =>
        rt.activity('startRun', {
          id: order.id,
          runbook: plan.name,
          digest: plan.digest,
          source: plan.source,
          inputs: order.inputs,
          by: order.by,
          parent: order.parent ?? null,
          retryOf: order.retry?.of ?? null,
          plan,
        }),
      // Workers before this language answered nothing.
    )) as Partial<Answer<'startRun'>> | null) ?? {};
  if (ended && !isFirstLanguage(run)) return sameAnswer(ended);
  let error: DroverError | null = null;
  try {
    const { result, cancel } = rt.scope(() => runAll(run, rt));
    run.stop = cancel;
    if (run.cancel) cancel();
    await result;
  } catch (cause) {
    error = asDroverError(cause);
  }
  return rt.shielded(() => close(run, error, rt));
}

/** A run that is reset after its end answers what it answered then. */
function sameAnswer({ outputs, error }: NonNullable<Answer<'startRun'>['ended']>): RunAnswer {
  if (error === null) return { outputs };
  throw new DroverError(error.code, error.message, { details: error.details, hint: error.hint });
}

async function runAll(run: Run, rt: Runtime): Promise<void> {
  const { runbook } = run.order.plan;
  await takeTurn(run, rt);
  try {
    for (const step of runbook.steps) {
      run.phase = step.id;
      await runStep(run, step, rt);
    }
  } catch (cause) {
    const error = asDroverError(cause);
    if (stateOf(error) === 'failed' && runbook['on-failure']) {
      run.phase = 'on-failure';
      await followFailure(run, runbook['on-failure'], error, rt);
    }
    throw error;
  }
}

/** Runs with the same concurrency key run one at a time. Throws RunBusy. */
async function takeTurn(run: Run, rt: Runtime): Promise<void> {
  const { concurrency } = run.order.plan.runbook;
  if (concurrency === undefined) return;
  const { key: template, wait = '0s' } = typeof concurrency === 'string' ? { key: concurrency } : concurrency;
  const key = String(evaluate(template, scopeOf(run)));
  const limit = seconds(wait, scopeOf(run), 'concurrency.wait');
  run.phase = 'waiting for its turn';
  showRun(run, rt);
  const { taken, holder } = await rt.activity('takeConcurrency', { key, run: run.order.id, seconds: limit });
  if (taken) return;
  const waited = limit > 0 ? `; waited ${limit} s for it` : '';
  throw new DroverError('RunBusy', `run ${holder} has the concurrency key "${key}"${waited}`, {
    details: { key, holder },
    hint: `see \`drover run show ${holder}\`; wait for it, or cancel it`,
  });
}

/** Takes back, does what is to be done at the end, writes the record, and ends as the record says. */
async function close(run: Run, failure: DroverError | null, rt: Runtime): Promise<RunAnswer> {
  const { order } = run;
  const { runbook } = order.plan;
  run.closing = true;
  if (run.paused) resumeRun(run, rt.now());
  let error = failure;
  const takesBack = error?.code === 'Cancelled' && (run.cancel?.undo ?? true);
  const undone = takesBack ? await undoSteps(run, rt) : [];
  // A run that did not get its turn has done nothing.
  if (runbook.finally && error?.code !== 'RunBusy') {
    try {
      run.phase = 'finally';
      await runFollowing(run, runbook.finally, null, rt);
    } catch (cause) {
      error ??= asDroverError(cause);
    }
  }
  if (runbook.concurrency !== undefined) await rt.activity('releaseConcurrency', { run: order.id });
  const outputs = outputsOf(run);
  const state = stateOf(error);
  rt.show(state, describeRun(run, undone, error));
  await rt.activity('finishRun', {
    id: order.id,
    state,
    steps: fitting(run),
    undone,
    outputs,
    error: error?.toRecord() ?? null,
  });
  if (error) throw error;
  return { outputs };
}

function stateOf(error: DroverError | null): RunFinish['state'] {
  if (error === null) return 'succeeded';
  return error.code === 'Cancelled' ? 'cancelled' : error.code === 'Rejected' ? 'rejected' : 'failed';
}

/** What goes into a record and to whoever waits. */
const largestOutput = 100_000;

/** What the run tells; of a run that failed, as much as its steps got to. */
function outputsOf(run: Run): Record<string, unknown> {
  const outputs: Record<string, unknown> = {};
  for (const [name, template] of Object.entries(run.order.plan.runbook.outputs)) {
    try {
      const value = evaluate(template, scopeOf(run));
      const size = JSON.stringify(value).length;
      outputs[name] = size <= largestOutput ? value : `too large to be told: ${size} characters`;
    } catch (error) {
      // It speaks of a step that was never reached, or of what it did not answer: nothing is known of it.
      if (!(error instanceof DroverError)) throw error;
      outputs[name] = null;
    }
  }
  return outputs;
}
