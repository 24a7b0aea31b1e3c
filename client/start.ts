/** Starts a workflow of drover, with its search attributes where the namespace knows them. */
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy, type WorkflowOptions } from '@temporalio/client';
import { workflowQueue } from '../model/addresses.js';
import { grpcCode } from '../temporal/grpc.js';
import type { Caller } from './caller.js';
import { asDroverError, isAlreadyStarted } from './failures.js';

export interface Start {
  type: string;
  workflowId: string;
  argument: object;
  summary: string;
  attributes: NonNullable<WorkflowOptions['typedSearchAttributes']>;
  memo: Record<string, unknown>;
  /** Default: that of its type. */
  queue?: string;
  /** Sent to it, also where it runs already: then that is all. */
  signal?: { name: string; word: object };
}

/** Answers the run id; throws WorkflowExecutionAlreadyStartedError as it is. */
export async function startWorkflow(caller: Caller, start: Start): Promise<string> {
  const { client } = await caller.temporal();
  const options: WorkflowOptions & { args: unknown[] } = {
    workflowId: start.workflowId,
    taskQueue: start.queue ?? workflowQueue(caller.cloud, start.type),
    args: [start.argument],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    staticSummary: start.summary.slice(0, 200),
    memo: start.memo,
  };
  const begin = async (more: Pick<WorkflowOptions, 'typedSearchAttributes' | 'memo'>): Promise<string> => {
    const deadline = Date.now() + 10_000;
    const { type, signal } = start;
    if (signal !== undefined) {
      const { name, word } = signal;
      const told = { ...options, ...more, signal: name, signalArgs: [word] as [object] };
      const handle = await client.withDeadline(deadline, () => client.workflow.signalWithStart(type, told));
      return handle.signaledRunId;
    }
    const alone = { ...options, ...more, workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL };
    const handle = await client.withDeadline(deadline, () => client.workflow.start(type, alone));
    return handle.firstExecutionRunId;
  };
  try {
    return await begin({ typedSearchAttributes: start.attributes });
  } catch (error) {
    if (isUnknownAttribute(error)) {
      caller.say(unregistered);
      return begin({ memo: { ...start.memo, searchable: false } });
    }
    throw isAlreadyStarted(error) ? error : asDroverError(error, start.summary);
  }
}

const unregistered =
  'Temporal does not know the search attributes of drover: started without them, so its list cannot be searched by ' +
  'host, instance or phase (`drover doctor` says how to register them)';

const INVALID_ARGUMENT = 3;

export function isUnknownAttribute(error: unknown): boolean {
  if (grpcCode(error) !== INVALID_ARGUMENT || !(error instanceof Error)) return false;
  const told = `${error.message} ${error.cause instanceof Error ? error.cause.message : ''}`;
  return /search attribute/i.test(told);
}
