/**
 * Where Temporal enters. The workflow type is the registry key (`instance.live-migrate`), so that the Temporal
 * UI shows the operation's own name; this default export serves every type.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { RunAnswerToAsk, RunAsk, RunProgress, RunStepRecord } from '../model/run.js';
import { DroverError } from '../model/errors.js';
import { languageVersions } from '../model/runbook.js';
import { Alert, alertOrder, runAlert, type AlertOrder, type AlertWord } from './alert.js';
import { runAudit, type AuditOrder } from './audit.js';
import { operations } from './catalogue.js';
import { runDelayed } from './delayed.js';
import { runFenceCheck, type FenceCheckOrder } from './fence-check.js';
import { runJanitor } from './janitor.js';
import { operate, operateOnHost, type Order } from './operate.js';
import { newBatch, runBatch } from './run-batch.js';
import type { BatchOrder } from './run-batches.js';
import { acceptAsk, askNames, hear, validateAsk, type Ask } from './run-control.js';
import { fitting } from './run-report.js';
import { runRunbook } from './run-runbook.js';
import { isFirstLanguage, newRun, type Run, type RunOrder } from './run-state.js';
import type { DelayedOrder, Runtime } from './runtime.js';
import { asFailure } from './runtime/failures.js';
import { temporalRuntime, wordSignal } from './runtime/temporal.js';
import { runScheduled, scheduledOrder, timeOf } from './scheduled-run.js';

/** An alert fires, still fires, or is resolved. */
const alertSignal = defineSignal<[AlertWord]>('alert');

/** Where a run stands, step by step; answered by any worker. The first language answers its steps alone. */
const progressQuery = defineQuery<RunStepRecord[] | RunProgress>('progress');

export default async function dispatch(argument: unknown): Promise<unknown> {
  const { workflowType } = workflowInfo();
  const rt = temporalRuntime();
  try {
    if (workflowType === 'run-runbook') {
      const run = newRun(runOrder(argument));
      listen(run, rt);
      if (!isFirstLanguage(run)) answerAsks(run, rt);
      return await heardOut(() => runRunbook(run, rt));
    }
    if (workflowType === 'run-batch') {
      const batch = batchOrder(argument);
      const run = newBatch(batch);
      listen(run, rt);
      return await heardOut(() => runBatch(run, batch, rt));
    }
    if (workflowType === 'alert') {
      const alert = new Alert(alertOrder(argument), () => rt.now());
      setHandler(alertSignal, (word) => alert.hear(word));
      const end = await runAlert(alert, rt);
      return 'goOn' in end ? await continueAsNew<(order: AlertOrder) => Promise<unknown>>(end.goOn) : end;
    }
    if (workflowType === 'audit') return await runAudit(argument as Partial<AuditOrder> | null, rt);
    if (workflowType === 'janitor') return await runJanitor(rt);
    if (workflowType === 'scheduled-run') {
      const time = timeOf(workflowInfo().workflowId) ?? new Date(rt.now()).toISOString();
      return await runScheduled(scheduledOrder(argument), time, rt);
    }
    if (workflowType === 'fence-check')
      return await runFenceCheck(argument as Partial<FenceCheckOrder> | null, rt);
    if (workflowType === 'delayed-operation') return await runDelayed(argument as DelayedOrder, rt);
    if (workflowType === 'read-serial-log') {
      const { host, path, tailBytes } = (argument ?? {}) as { host: string; path: string; tailBytes: number };
      return await rt.activity('readSerialLog', { path, tailBytes }, { onHost: host });
    }
    const operation = operations.get(workflowType);
    if (!operation) {
      throw ApplicationFailure.nonRetryable(`no operation is called ${workflowType}`, 'NotFound');
    }
    const order = argument as Order;
    return await rt.heardOut(() =>
      operation.target === 'host' ? operateOnHost(operation, order, rt) : operate(operation, order, rt),
    );
  } catch (error) {
    // What is neither ours nor Temporal's is a bug: let the workflow task fail and be retried after the fix.
    throw error instanceof DroverError ? asFailure(error) : error;
  }
}

/** Says where it stands, and hears the run of which it is a part. */
function listen(run: Run, rt: Runtime): void {
  const answer = (): RunStepRecord[] | RunProgress =>
    isFirstLanguage(run) ? run.steps : { steps: fitting(run), paused: run.paused };
  setHandler(progressQuery, answer, { description: 'The steps of the run with their counts and items' });
  setHandler(wordSignal, (word) => hear(run, word, rt));
}

/** A validator that throws refuses the ask before it is part of the history. */
function answerAsks(run: Run, rt: Runtime): void {
  for (const action of askNames) {
    const askOf = (given: RunAsk) => ({ ...given, action }) as Ask;
    setHandler(
      defineUpdate<RunAnswerToAsk, [RunAsk]>(action),
      (given) => told(() => acceptAsk(run, askOf(given), rt)),
      { validator: (given) => toldAtOnce(() => validateAsk(run, askOf(given))) },
    );
  }
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof DroverError ? asFailure(error) : error;
  }
}

function toldAtOnce(work: () => void): void {
  try {
    work();
  } catch (error) {
    throw error instanceof DroverError ? asFailure(error) : error;
  }
}

/** Whoever asked gets an answer, although the run has ended meanwhile. */
async function heardOut<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await condition(allHandlersFinished);
  }
}

/** The client has checked it. What somebody starts by hand, or a newer client, must not fail the task for ever. */
function runOrder(argument: unknown): RunOrder {
  const { plan } = (argument ?? {}) as Partial<RunOrder>;
  const known: readonly unknown[] = languageVersions;
  if (known.includes(plan?.language) && Array.isArray(plan?.runbook?.steps)) return argument as RunOrder;
  throw new DroverError(
    'InvalidRunbook',
    `this worker runs frozen runbooks of language versions ${languageVersions.join(' and ')}; this is none`,
    { hint: 'start it with `drover runbook run NAME`, or update the workers' },
  );
}

function batchOrder(argument: unknown): BatchOrder {
  const { order, targets } = (argument ?? {}) as Partial<BatchOrder>;
  runOrder(order);
  if (Array.isArray(targets)) return argument as BatchOrder;
  throw new DroverError('InvalidInput', 'a batch is started by its run alone');
}
