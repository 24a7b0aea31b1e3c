/** What a scenario has at hand. */
import type { WorkflowHandle } from '@temporalio/client';
import type { Fault } from '../../activities/simulator/faults.js';
import type { SimulatedCloud } from '../temporal/simulated.js';
import { begin, endOf, type Site } from '../temporal/site.js';
import { until } from '../temporal/helpers.js';
import { fault, migrations } from '../unit/workflows/cloud.js';

export interface Stage {
  site: Site;
  cloud: SimulatedCloud;
  /** What happens before each activity of that name begins. */
  before: Map<string, () => unknown>;
}
export type Scenario = (stage: Stage) => Promise<WorkflowHandle>;

/** Ends as it must, or is not worth keeping. */
export async function ending(handle: WorkflowHandle, end: string): Promise<WorkflowHandle> {
  const ended = await endOf(handle);
  if (ended !== end) throw new Error(`${handle.workflowId} ended as ${ended}, not ${end}`);
  return handle;
}

export const migrating = (cloud: SimulatedCloud, count = 1) =>
  until('a migration runs', async () => (await migrations(cloud)) === count);

/** Migrations from the first host, which were slow, come to their end. */
export const arrive = (cloud: SimulatedCloud) => fault(cloud, { do: 'restore', hosts: ['h1'] });

/** An operation on one instance that is adopted before. */
export const on =
  (
    key: string,
    adopt: Parameters<SimulatedCloud['adopt']>[1] = {},
    input: Record<string, unknown> = {},
    { end = 'done', fails = [] as readonly Call[] } = {},
  ): Scenario =>
  async ({ site, cloud }) => {
    await refuse(cloud, fails);
    const instance = await cloud.adopt('web-1', adopt);
    return ending(await begin(site, key, { instance, ...input }), end);
  };

type Call = Extract<Fault, { do: 'fail' }>['call'];

/** Calls of the hypervisor or the disks, at any host, which say no; once or for ever. */
export async function refuse(cloud: SimulatedCloud, calls: readonly Call[], times = 1000): Promise<void> {
  for (const call of calls) await fault(cloud, { do: 'fail', call, nth: 1, times, message: 'it said no' });
}
