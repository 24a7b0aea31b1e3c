/** Metrics that cost more than a count: looked at every half minute at most, and left out while they can't be known. */
import { Gauge, type Registry } from 'prom-client';
import { listAudits } from '../activities/audit/store.js';
import { fleetCapacity } from '../client/capacity.js';
import { hasWorker } from '../client/progress.js';
import { controlQueue, recoveryQueue } from '../model/addresses.js';
import { waitingForApproval } from '../model/search-attributes.js';
import type { Gateway } from './gateway.js';

const freshMs = 30_000;

/** Answers what brings them up to date; it never throws: what is away is told by other metrics. */
export function slowGauges(registry: Registry, gateway: Gateway): () => Promise<void> {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const spare = gauge('drover_capacity_spare_hosts', 'So many hosts, any of them, can be lost at once');
  const findings = gauge(
    'drover_audit_findings',
    'What the newest audit of the inventory found and did not repair',
  );
  const workers = gauge('drover_workers_present', '1 where a worker asked this queue for work lately', [
    'queue',
  ]);
  const waiting = gauge('drover_runs_waiting_approval', 'Runs that wait for people to approve');
  const looks = [
    async () => waiting.set(await waitingRuns(gateway)),
    async () => spare.set((await fleetCapacity(gateway)).spare),
    async () => findings.set(await newestFindings(gateway)),
    async () => {
      for (const [queue, present] of await workersOf(gateway)) workers.set({ queue }, present ? 1 : 0);
    },
  ];
  let looked = Number.NEGATIVE_INFINITY;
  return async () => {
    if (performance.now() - looked < freshMs) return;
    looked = performance.now();
    for (const each of [spare, findings, waiting, workers]) each.reset();
    // A gauge without labels tells 0 from the beginning: one that is not known is told as that.
    spare.set(Number.NaN);
    findings.set(Number.NaN);
    waiting.set(Number.NaN);
    await Promise.all(looks.map((look) => look().catch(() => undefined)));
  };
}

async function newestFindings({ inventory }: Gateway): Promise<number> {
  const [newest] = (await listAudits(inventory, 5)).filter(({ endedAt }) => endedAt !== null);
  return newest === undefined ? Number.NaN : newest.findings.length - newest.repaired.length;
}

async function waitingRuns(gateway: Gateway): Promise<number> {
  const { client } = await gateway.temporal();
  const query = `${waitingForApproval} AND DroverCloud = '${gateway.cloud}'`;
  const { count } = await client.withDeadline(Date.now() + 5000, () => client.workflow.count(query));
  return count;
}

async function workersOf(gateway: Gateway): Promise<[string, boolean][]> {
  const { cloud } = gateway;
  const connection = await gateway.temporal();
  const queues = { control: controlQueue(cloud), recovery: recoveryQueue(cloud) };
  const found = await Promise.all(
    Object.entries(queues).map(
      async ([name, queue]) => [name, await hasWorker(connection, cloud, queue)] as const,
    ),
  );
  return found.flatMap(([name, present]) => (present === null ? [] : [[name, present]]));
}
