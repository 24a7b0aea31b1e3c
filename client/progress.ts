/** Where a running workflow stands, as Temporal tells it without asking a worker. */
import { defaultPayloadConverter } from '@temporalio/common';
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { controlQueue, recoveryQueue } from '../model/addresses.js';
import type { TemporalConnection } from '../temporal/connect.js';
import { searchAttributes } from '../workflows/search-attributes.js';

export interface Progress {
  running: boolean;
  /** Temporal's word for how it ended, such as TERMINATED. */
  status: string;
  /** The registry key of the operation, or `run-runbook`. */
  type: string;
  /** Whose workers run it. */
  queue: string;
  /** The operation's own word: `moving`. */
  phase: string | null;
  /** Of the activity that reports one. */
  percent: number | null;
  /** Why an activity is tried again. */
  trouble: string | null;
  startedAt: string;
  by: string | null;
  label: string | null;
  /** Of a run. */
  inputs: Record<string, unknown>;
}

/** Below the interval in which progress is looked at by a wide margin. */
const limitMs = 3000;

export async function progressOf(
  temporal: TemporalConnection,
  workflowId: string,
  runId?: string,
): Promise<Progress> {
  const { client } = temporal;
  const found = await client.withDeadline(Date.now() + limitMs, () =>
    client.workflow.getHandle(workflowId, runId).describe(),
  );
  return { ...reported(found), ...known(found) };
}

function known(found: WorkflowExecutionDescription): Omit<Progress, 'percent' | 'trouble'> {
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    running: found.status.name === 'RUNNING' || found.status.name === 'PAUSED',
    status: found.status.name,
    type: found.type,
    queue: found.taskQueue,
    phase: found.typedSearchAttributes.get(searchAttributes.phase) ?? null,
    startedAt: found.startTime.toISOString(),
    by: text(found.memo?.['by']),
    label: text(found.memo?.['label']),
    inputs: (found.memo?.['inputs'] ?? {}) as Record<string, unknown>,
  };
}

/** What the activities under way say of themselves. */
function reported(found: WorkflowExecutionDescription): Pick<Progress, 'percent' | 'trouble'> {
  let percent: number | null = null;
  let trouble: string | null = null;
  for (const activity of found.raw.pendingActivities ?? []) {
    const [payload] = activity.heartbeatDetails?.payloads ?? [];
    const details = payload ? defaultPayloadConverter.fromPayload<Record<string, unknown>>(payload) : {};
    if (typeof details['percent'] === 'number') percent = details['percent'];
    const attempt = activity.attempt ?? 1;
    const why = activity.lastFailure?.message;
    if (attempt > 1 && why)
      trouble = `${activity.activityType?.name ?? 'a step'}, attempt ${attempt}: ${why}`;
  }
  return { percent, trouble };
}

/** True when some worker asks for the work of this cloud; null when Temporal does not say. */
export async function hasWorker(
  temporal: TemporalConnection,
  cloud: string,
  queue = controlQueue(cloud),
): Promise<boolean | null> {
  const { connection, namespace } = temporal;
  try {
    const answer = await connection.withDeadline(Date.now() + limitMs, () =>
      connection.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: queue },
        // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the enum can't be imported
        taskQueueType: [controlQueue(cloud), recoveryQueue(cloud)].includes(queue)
          ? workflowQueue
          : activityQueue,
      }),
    );
    // Temporal lists whoever asked within five minutes; a living worker asks at least once a minute.
    const since = Date.now() / 1000 - 75;
    return answer.pollers.some((poller) => Number(poller.lastAccessTime?.seconds ?? 0) > since);
  } catch {
    return null;
  }
}

/** temporal.api.enums.v1.TaskQueueType, which the client does not export. */
const workflowQueue = 1;
const activityQueue = 2;
