/** What an item of a for-each costs, against a hand-written workflow with the same children and the same window. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addHost } from '../activities/inventory/hosts.js';
import { follow } from '../client/follow.js';
import { prepareRun, startRun } from '../client/runs.js';
import { controlQueue, runWorkflowId } from '../model/addresses.js';
import { alternate, timed } from './alternate.js';
import { startDrover } from './drover.js';
import type { Session } from './session.js';
import { compare } from './statistics.js';
import type { HandWrittenItems, handWrittenItems } from './workflows.js';

const ITEMS = 100;
const WINDOW = 5;

export async function items(session: Session): Promise<void> {
  const drover = await startDrover(session);
  const hosts = Array.from({ length: ITEMS }, (_, index) => `only-in-the-inventory-${index + 1}`);
  const settings = { slots: 2, cpuOvercommit: 1, memoryMiBReserved: 0, labels: {} };
  for (const name of hosts) await addHost(drover.inventory, { name, uri: 'test:///default', ...settings });
  const file = join(drover.dir, 'hundred-items.yaml');
  writeFileSync(file, runbook);
  const prepared = await prepareRun(drover, { runbook: file, folders: [], inputs: { hosts } });
  const { plan, inputs } = prepared;
  const { workflow } = drover.connection.client;
  const { signal } = session;

  const last = { ours: '', baseline: '' };

  async function byRunbook(): Promise<void> {
    const { workflowId, runId } = await startRun(drover, prepared);
    last.ours = workflowId;
    await follow(drover, { workflowId, runId, what: 'the runbook' }, { signal });
  }

  async function byHand(): Promise<void> {
    const id = randomUUID();
    const { name, digest, source } = plan;
    const order: HandWrittenItems = {
      run: { id, runbook: name, digest, source, inputs, by: 'bench', plan },
      hosts,
      parallel: WINDOW,
    };
    const workflowId = runWorkflowId(drover.cloud, id);
    const started = await workflow.start<typeof handWrittenItems>('handWrittenItems', {
      workflowId,
      taskQueue: controlQueue(drover.cloud),
      args: [order],
    });
    last.baseline = workflowId;
    const what = { workflowId, runId: started.firstExecutionRunId, what: 'the hand-written workflow' };
    await follow(drover, what, { signal });
  }

  const perItem = (work: () => Promise<void>) => async () => (await timed(work)) / ITEMS;
  const sides = { ours: perItem(byRunbook), baseline: perItem(byHand) };
  const samples = await alternate({ session, n: 20, warmUp: 2, ...sides });
  const about = `${ITEMS} host operations, ${WINDOW} at a time`;
  const row = compare({ bench: 'items', case: about, unit: 'ms per item' }, samples);
  session.tell({ ...row, goal: 'ratio <= 1.05', goalMet: row.ratio <= 1.05 });

  // The same on a machine of any load.
  const eventsOf = async (workflowId: string): Promise<number> =>
    (await workflow.getHandle(workflowId).describe()).historyLength / ITEMS;
  const events = { ours: [await eventsOf(last.ours)], baseline: [await eventsOf(last.baseline)] };
  session.tell(compare({ bench: 'items', case: `history of ${about}`, unit: 'events per item' }, events));
}

const runbook = `name: hundred-items
description: For a benchmark.
inputs:
  hosts: { type: list }
steps:
  - id: close
    uses: host.disable
    for-each: \${{ inputs.hosts }}
    max-parallel: ${WINDOW}
    with: { host: '\${{ item }}', reason: a benchmark }
`;
