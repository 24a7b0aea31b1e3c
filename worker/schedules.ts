import { setTimeout as sleep } from 'node:timers/promises';
import {
  isGrpcServiceError,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  ServiceError,
  type Client,
} from '@temporalio/client';
import {
  auditWorkflowId,
  fenceCheckWorkflowId,
  janitorWorkflowId,
  workflowQueue,
} from '../model/addresses.js';
import { searchAttributes } from '../workflows/search-attributes.js';

/** A server that has just started answers before all of it does. */
const patienceMs = 20_000;

interface Schedule {
  /** Also the beginning of the ids of its workflows. */
  id: string;
  workflowType: string;
  /** null: there is none. */
  everySeconds: number | null;
  summary: string;
}

/** Makes or updates what a cloud does by itself: the janitor, the audit and the check of fence devices. Safe from several workers at once. */
export async function ensureSchedules(
  client: Client,
  of: {
    cloud: string;
    janitorEverySeconds: number;
    auditEverySeconds: number | null;
    fenceCheckEverySeconds: number | null;
    searchable: boolean;
  },
): Promise<void> {
  const schedules: Schedule[] = [
    {
      id: janitorWorkflowId(of.cloud),
      workflowType: 'janitor',
      everySeconds: of.janitorEverySeconds,
      summary: 'Ask every host how it is; settle what operations left behind that no longer run',
    },
    {
      id: auditWorkflowId(of.cloud),
      workflowType: 'audit',
      everySeconds: of.auditEverySeconds,
      summary: 'Compare the inventory with every hypervisor, and say what is wrong',
    },
    {
      id: fenceCheckWorkflowId(of.cloud),
      workflowType: 'fence-check',
      everySeconds: of.fenceCheckEverySeconds,
      summary: 'Ask the fence devices of all hosts whether they would do their work',
    },
  ];
  for (const schedule of schedules) await patiently(() => put(client, of, schedule));
}

async function patiently(work: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!isGrpcServiceError(error instanceof ServiceError ? error.cause : error) || Date.now() > deadline)
        throw error;
      await sleep(500);
    }
  }
}

async function put(
  client: Client,
  { cloud, searchable }: { cloud: string; searchable: boolean },
  { id: scheduleId, workflowType, everySeconds, summary }: Schedule,
): Promise<void> {
  if (everySeconds === null) return remove(client, scheduleId);
  const spec = { intervals: [{ every: everySeconds * 1000 }] };
  try {
    await client.schedule.create({
      scheduleId,
      spec,
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' },
      action: {
        type: 'startWorkflow',
        workflowType,
        workflowId: scheduleId,
        taskQueue: workflowQueue(cloud, workflowType),
        args: [],
        ...(searchable
          ? { typedSearchAttributes: [{ key: searchAttributes.cloud, value: cloud }] }
          : { memo: { searchable } }),
        staticSummary: summary,
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(scheduleId).update((old) => ({ ...old, spec }));
  }
}

async function remove(client: Client, scheduleId: string): Promise<void> {
  try {
    await client.schedule.getHandle(scheduleId).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}
