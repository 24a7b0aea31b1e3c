/** What a step of a runbook costs, against a hand-written workflow that does the same. */
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
import type { HandWritten, handWritten } from './workflows.js';

const STEPS = 20;
const HOST = 'only-in-the-inventory';

export async function step(session: Session): Promise<void> {
  const drover = await startDrover(session);
  const settings = { slots: 2, cpuOvercommit: 1, memoryMiBReserved: 0, labels: {} };
  await addHost(drover.inventory, { name: HOST, uri: 'test:///default', ...settings });
  const file = join(drover.dir, 'twenty-steps.yaml');
  writeFileSync(file, runbook());
  const prepared = await prepareRun(drover, { runbook: file, folders: [], inputs: {} });
  const { plan } = prepared;
  const { workflow } = drover.connection.client;

  async function byRunbook(): Promise<void> {
    const { workflowId, runId } = await startRun(drover, prepared);
    await follow(drover, { workflowId, runId, what: 'the runbook' }, { signal: session.signal });
  }

  async function byHand(): Promise<void> {
    const id = randomUUID();
    const { name, digest, source } = plan;
    const order: HandWritten = {
      run: { id, runbook: name, digest, source, inputs: {}, by: 'bench' },
      host: HOST,
      steps: STEPS,
    };
    const workflowId = runWorkflowId(drover.cloud, id);
    const started = await workflow.start<typeof handWritten>('handWritten', {
      workflowId,
      taskQueue: controlQueue(drover.cloud),
      args: [order],
    });
    const what = { workflowId, runId: started.firstExecutionRunId, what: 'the hand-written workflow' };
    await follow(drover, what, { signal: session.signal });
  }

  const perStep = (work: () => Promise<void>) => async () => (await timed(work)) / STEPS;
  const samples = await alternate({
    session,
    n: 40,
    warmUp: 5,
    ours: perStep(byRunbook),
    baseline: perStep(byHand),
  });
  const row = compare({ bench: 'step', case: `${STEPS} host operations`, unit: 'ms per step' }, samples);
  session.tell({ ...row, goal: 'ratio <= 1.05', goalMet: row.ratio <= 1.05 });
}

/** Closes and opens the host, again and again. */
function runbook(): string {
  const steps = Array.from({ length: STEPS }, (_, index) => {
    const [uses, more] = index % 2 === 0 ? ['host.disable', ', reason: a benchmark'] : ['host.enable', ''];
    return `  - { id: step${index + 1}, uses: ${uses}, with: { host: ${HOST}${more} } }`;
  });
  return ['name: twenty-steps', 'description: For a benchmark.', 'steps:', ...steps, ''].join('\n');
}
