/** What a scenario has at hand. */
import type { WorkflowHandle } from '@temporalio/client';
import { endOf, type Hooks, type Site } from '../temporal/fake-site.js';
import { until } from '../temporal/helpers.js';
import type { FakeCloud } from '../unit/workflows/fake-cloud.js';

export interface Stage {
  site: Site;
  cloud: FakeCloud;
  hooks: Hooks;
}
export type Scenario = (stage: Stage) => Promise<WorkflowHandle>;

/** Ends as it must, or is not worth keeping. */
export async function ending(handle: WorkflowHandle, end: string): Promise<WorkflowHandle> {
  const ended = await endOf(handle);
  if (ended !== end) throw new Error(`${handle.workflowId} ended as ${ended}, not ${end}`);
  return handle;
}

export const migrating = (cloud: FakeCloud, count = 1) =>
  until('a migration runs', () => cloud.world.jobs.size === count);
