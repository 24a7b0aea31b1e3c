/**
 * Where Temporal enters. The workflow type is the registry key (`instance.live-migrate`), so that the Temporal
 * UI shows the operation's own name; this default export serves every type.
 */
import { ApplicationFailure, defineQuery, setHandler, workflowInfo } from '@temporalio/workflow';
import type { RunStepRecord } from '../model/run.js';
import { DroverError } from '../model/errors.js';
import { LANGUAGE_VERSION } from '../model/runbook.js';
import { operations } from './catalogue.js';
import { runJanitor } from './janitor.js';
import { operate, operateOnHost, type Order } from './operate.js';
import { runRunbook } from './run-runbook.js';
import { newRun, type RunOrder } from './run-state.js';
import { asFailure, temporalRuntime } from './runtime/temporal.js';

/** Where a run stands, step by step; answered by any worker. */
const progressQuery = defineQuery<RunStepRecord[]>('progress');

export default async function dispatch(argument: unknown): Promise<unknown> {
  const { workflowType } = workflowInfo();
  const rt = temporalRuntime();
  try {
    if (workflowType === 'run-runbook') {
      const run = newRun(runOrder(argument));
      setHandler(progressQuery, () => run.steps, {
        description: 'The steps of the run with their counts and items',
      });
      return await runRunbook(run, rt);
    }
    if (workflowType === 'janitor') return await runJanitor(rt);
    if (workflowType === 'read-serial-log') {
      const { host, path, tailBytes } = (argument ?? {}) as { host: string; path: string; tailBytes: number };
      return await rt.activity('readSerialLog', { path, tailBytes }, { onHost: host });
    }
    const operation = operations.get(workflowType);
    if (!operation) {
      throw ApplicationFailure.nonRetryable(`no operation is called ${workflowType}`, 'NotFound');
    }
    const order = argument as Order;
    return operation.target === 'host'
      ? await operateOnHost(operation, order, rt)
      : await operate(operation, order, rt);
  } catch (error) {
    // What is neither ours nor Temporal's is a bug: let the workflow task fail and be retried after the fix.
    throw error instanceof DroverError ? asFailure(error) : error;
  }
}

/** The client has checked it. What somebody starts by hand, or a newer client, must not fail the task for ever. */
function runOrder(argument: unknown): RunOrder {
  const { plan } = (argument ?? {}) as Partial<RunOrder>;
  if (plan?.language === LANGUAGE_VERSION && Array.isArray(plan.runbook?.steps)) return argument as RunOrder;
  throw new DroverError(
    'InvalidRunbook',
    `this worker runs frozen runbooks of language version ${LANGUAGE_VERSION}; this is none`,
    { hint: 'start it with `drover runbook run NAME`, or update the workers' },
  );
}
