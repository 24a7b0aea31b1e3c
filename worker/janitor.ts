import { setTimeout as sleep } from 'node:timers/promises';
import {
  isGrpcServiceError,
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  ServiceError,
  type Client,
} from '@temporalio/client';
import { controlQueue, janitorWorkflowId } from '../model/addresses.js';
import { searchAttributes } from '../workflows/search-attributes.js';

/** A server that has just started answers before all of it does. */
const patienceMs = 20_000;

/** Makes or updates the schedule of the janitor; safe from several workers at once. */
export async function ensureJanitor(
  client: Client,
  cloud: string,
  everySeconds: number,
  searchable: boolean,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      await putSchedule(client, cloud, everySeconds, searchable);
      return;
    } catch (error) {
      if (!isGrpcServiceError(error instanceof ServiceError ? error.cause : error) || Date.now() > deadline)
        throw error;
      await sleep(500);
    }
  }
}

async function putSchedule(
  client: Client,
  cloud: string,
  everySeconds: number,
  searchable: boolean,
): Promise<void> {
  const scheduleId = janitorWorkflowId(cloud);
  const spec = { intervals: [{ every: everySeconds * 1000 }] };
  try {
    await client.schedule.create({
      scheduleId,
      spec,
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' },
      action: {
        type: 'startWorkflow',
        workflowType: 'janitor',
        workflowId: scheduleId,
        taskQueue: controlQueue(cloud),
        args: [],
        ...(searchable
          ? { typedSearchAttributes: [{ key: searchAttributes.cloud, value: cloud }] }
          : { memo: { searchable } }),
        staticSummary: 'Ask every host how it is; settle what operations left behind that no longer run',
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(scheduleId).update((old) => ({ ...old, spec }));
  }
}
