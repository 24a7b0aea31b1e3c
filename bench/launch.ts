/** A hundred launches at once in a simulated datacenter, against as many hand-written workflows with the same activities. */
import { randomUUID } from 'node:crypto';
import { createSimulation } from '../cli/sim-create.js';
import { follow } from '../client/follow.js';
import { startOperation } from '../client/operations.js';
import { controlQueue, subjectWorkflowId } from '../model/addresses.js';
import { serveDatacenters } from '../worker/datacenters.js';
import { alternate, timed } from './alternate.js';
import { startDrover } from './drover.js';
import type { Session } from './session.js';
import { compare } from './statistics.js';
import type { handWrittenLaunch } from './workflows.js';

const LAUNCHES = 100;

export async function launch(session: Session): Promise<void> {
  const drover = await startDrover(session);
  const { cloud, ports, common } = drover;
  await createSimulation(drover, ports.datacenters.make('sim'), { hosts: 20, instances: 0, racks: 2 });
  const ended = new AbortController();
  const serving = serveDatacenters(ports, { cloud, common, ended: ended.signal });
  session.atEnd(async () => {
    ended.abort();
    await serving;
  });
  const { workflow } = drover.connection.client;
  const { signal } = session;
  let count = 0;
  const inputs = () =>
    Array.from({ length: LAUNCHES }, () => ({
      instance: randomUUID(),
      name: `vm-${(count += 1)}`,
      vcpus: 1,
      memory_mib: 128,
      image: '/images/debian-12.qcow2',
      directory: '/srv/shared',
    }));

  async function byDrover(): Promise<void> {
    const all = inputs().map(async (input) => {
      const answer = await startOperation(drover, { operation: 'instance.launch', input });
      if (answer.kind === 'closed') throw new Error('it was launched before');
      const { workflowId, runId } = answer.started;
      await follow(drover, { workflowId, runId, what: input.name }, { signal });
    });
    await Promise.all(all);
  }

  async function byHand(): Promise<void> {
    const all = inputs().map(async (input) => {
      const workflowId = subjectWorkflowId(cloud, 'instance.launch', input.instance);
      const request = { id: randomUUID(), by: 'bench', role: 'admin' as const, run: null };
      const started = await workflow.start<typeof handWrittenLaunch>('handWrittenLaunch', {
        workflowId,
        taskQueue: controlQueue(cloud),
        args: [{ request, input }],
      });
      await follow(drover, { workflowId, runId: started.firstExecutionRunId, what: input.name }, { signal });
    });
    await Promise.all(all);
  }

  const each = (work: () => Promise<void>) => async () => (await timed(work)) / LAUNCHES;
  const sides = { ours: each(byDrover), baseline: each(byHand) };
  const samples = await alternate({ session, n: 5, warmUp: 1, ...sides });
  const about = `${LAUNCHES} launches at once on 20 simulated hosts`;
  session.tell(compare({ bench: 'launch', case: about, unit: 'ms per launch' }, samples));
}
