/**
 * From the evidence that a host is off to its first and its last guest running elsewhere, in a simulated datacenter: against a
 * hand-written workflow that claims, defines and starts the same guests, as many at a time.
 */
import { randomUUID } from 'node:crypto';
import { read, transact } from '../activities/inventory/database.js';
import { listIncidentEvents, listIncidents } from '../activities/inventory/incidents.js';
import { listInstances } from '../activities/inventory/instances.js';
import { crashHosts, createSimulation } from '../cli/sim-create.js';
import { follow } from '../client/follow.js';
import { startOperation } from '../client/operations.js';
import { controlQueue, evacuationWorkflowId } from '../model/addresses.js';
import type { Fence } from '../model/incident.js';
import { defaultRecoveryRules, type RecoveryRules } from '../model/recovery.js';
import { serveDatacenters } from '../worker/datacenters.js';
import { createControlWorker } from '../worker/worker.js';
import { alertToConfirmed } from './recover-alert.js';
import { startDrover, type Drover } from './drover.js';
import type { Session } from './session.js';
import { compare, round } from './statistics.js';
import { timelineOf, type Timeline } from './timeline.js';
import type { handWrittenRecovery } from './workflows.js';

const sizes = [
  { instances: 50, n: 3 },
  { instances: 200, n: 3 },
  { instances: 1000, n: 1 },
];
/** With room for all that ever comes to them. */
const targets = 80;

/** Nothing waits for what may fail with it, and no brake holds: only work is measured. */
export const rules: RecoveryRules = {
  ...defaultRecoveryRules,
  askEverySeconds: 1,
  settleSeconds: 0,
  budget: { zone: 100, fleet: 100, windowSeconds: 3600 },
};

export async function recover(session: Session): Promise<void> {
  const drover = await startDrover(session);
  await serve(session, drover);
  const datacenter = drover.ports.datacenters.make('sim');
  await createSimulation(drover, datacenter, { hosts: targets, instances: 0, racks: 1 });
  /** A host with so many guests, which has lost its power. */
  const lostHost = async (instances: number): Promise<string> => {
    const { hosts } = await createSimulation(drover, datacenter, { hosts: 1, instances, racks: 1, local: 0 });
    const name = hosts[0]?.name ?? '';
    await crashHosts(datacenter, [name]);
    return name;
  };
  await alertToConfirmed(session, drover, () => lostHost(1));
  for (const { instances, n } of sizes) {
    const taken: { ours: Took[]; baseline: Took[] } = { ours: [], baseline: [] };
    for (let pair = 0; pair < n; pair += 1) {
      const order = pair % 2 === 0 ? (['ours', 'baseline'] as const) : (['baseline', 'ours'] as const);
      for (const side of order) {
        session.signal.throwIfAborted();
        const host = await lostHost(instances);
        const took =
          side === 'ours' ? await byDrover(session, drover, host) : await byHand(session, drover, host);
        session.say(
          `${instances} instances, ${side}: first ${took.first.toFixed(2)} s, last ${took.last.toFixed(2)} s`,
        );
        taken[side].push(took);
      }
    }
    for (const which of ['first', 'last'] as const) {
      const about = `evidence to the ${which} of ${instances} instances, ${rules.atATime} at a time`;
      const of = (side: Took[]) => side.map((took) => took[which]);
      session.tell(
        compare(
          { bench: 'recover', case: about, unit: 's' },
          { ours: of(taken.ours), baseline: of(taken.baseline) },
        ),
      );
    }
    const [one] = taken.ours;
    session.tell({ bench: 'recover', case: `phases with ${instances} instances`, unit: 's', ...one?.phases });
  }
}

interface Took {
  /** Seconds from the evidence to the end of the first and of the last evacuation. */
  first: number;
  last: number;
  phases?: { phases: Record<string, number>; timeline: Timeline };
}

async function serve(
  session: Session,
  { cloud, ports, common, inventory, connection }: Drover,
): Promise<void> {
  const ended = new AbortController();
  const { client } = connection;
  const worker = await createControlWorker({
    cloud,
    inventory,
    client,
    common,
    ports,
    queue: 'recovery',
    rules,
  });
  const serving = Promise.all([
    serveDatacenters(ports, { cloud, common, ended: ended.signal }),
    worker.run(),
  ]);
  session.atEnd(async () => {
    ended.abort();
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await serving;
  });
}

async function byDrover(session: Session, drover: Drover, host: string): Promise<Took> {
  const { inventory } = drover;
  const { signal } = session;
  const instances = await listInstances(inventory, { host });
  const answer = await startOperation(drover, { operation: 'host.recover', input: { host } });
  if (answer.kind === 'closed') throw new Error('it was recovered before');
  const { workflowId, runId } = answer.started;
  await follow(drover, { workflowId, runId, what: host }, { signal });
  const [incident] = await listIncidents(inventory, { host });
  if (incident?.state !== 'recovered') throw new Error(`${host} is ${incident?.state}`);
  const log = await listIncidentEvents(inventory, incident.id);
  const at = (phase: string): number =>
    Date.parse(log.find((line) => line.phase === phase)?.at ?? incident.openedAt);
  const proven = at('fenced');
  const ends = await endsOf(
    drover,
    instances.map(({ id }) => id),
  );
  const seconds = (from: number, to: number): number => round((to - from) / 1000);
  const ids = instances.slice(0, 20).map(({ id }) => id);
  const timeline = await timelineBetween(drover, { evidence: proven, recovery: { workflowId, runId }, ids });
  const phases = {
    'confirm and settle': seconds(at('opened'), at('fencing')),
    'fence and witness': seconds(at('fencing'), proven),
    'plan and verify': seconds(proven, ends.begun),
    evacuate: seconds(ends.begun, ends.last),
    'close the incident': seconds(ends.last, at('closed')),
  };
  return {
    first: (ends.first - proven) / 1000,
    last: (ends.last - proven) / 1000,
    phases: { phases, timeline },
  };
}

/** `ids`: of some of the instances that it brought back. */
export async function timelineBetween(
  { connection: { client }, cloud }: Drover,
  of: {
    evidence: number;
    recovery: { workflowId: string; runId?: string | undefined };
    ids: readonly string[];
  },
): Promise<Timeline> {
  const { workflowId, runId } = of.recovery;
  const historyOf = async (id: string, run?: string) =>
    (await client.workflow.getHandle(id, run).fetchHistory()).events ?? [];
  const evacuations = await Promise.all(
    of.ids.map(async (instance) => {
      const id = evacuationWorkflowId(cloud, instance);
      return { id, events: await historyOf(id) };
    }),
  );
  return timelineOf(of.evidence, await historyOf(workflowId, runId), evacuations);
}

/** The host is fenced by a row, as somebody does who has cut its power and now writes a script. */
async function byHand(session: Session, drover: Drover, host: string): Promise<Took> {
  const { inventory, cloud, connection } = drover;
  const instances = await listInstances(inventory, { host });
  const now = inventory.now();
  const evidence = {
    kind: 'attested',
    at: now,
    says: 'by hand',
    device: null,
    verified: false,
    by: 'bench',
  } as const;
  const fence: Fence = { incident: 'by hand', at: now, evidence, state: 'held' };
  await transact(inventory, (trx) =>
    trx
      .updateTable('hosts')
      .set({ fence: JSON.stringify(fence), enabled: 0 })
      .where('name', '=', host)
      .execute(),
  );
  const workflowId = `${cloud}/by-hand/${host}`;
  const guests = instances.map(({ id, name, vcpus, memoryMiB }) => ({ id, name, vcpus, memoryMiB }));
  const begun = Date.now();
  const started = await connection.client.workflow.start<typeof handWrittenRecovery>('handWrittenRecovery', {
    workflowId,
    taskQueue: controlQueue(cloud),
    args: [{ lost: host, guests, parallel: rules.atATime, request: randomUUID() }],
  });
  const runId = started.firstExecutionRunId;
  await follow(drover, { workflowId, runId, what: host }, { signal: session.signal });
  const ends = await endsOf(
    drover,
    instances.map(({ id }) => id),
  );
  return { first: (ends.first - begun) / 1000, last: (ends.last - begun) / 1000 };
}

/** By the records of the evacuations since then: when the first began, when the first and the last had ended. */
export async function endsOf(
  { inventory }: Drover,
  ids: readonly string[],
  since = 0,
): Promise<{ begun: number; first: number; last: number }> {
  const mine = new Set(ids);
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('operations')
      .select(['instance', 'state', 'started_at', 'ended_at'])
      .where('kind', '=', 'evacuate')
      .execute(),
  );
  const done = rows.filter(
    (row) => row.instance !== null && mine.has(row.instance) && Date.parse(row.started_at) >= since,
  );
  const failed = done.filter(({ state }) => state !== 'succeeded').length;
  if (failed > 0 || done.length !== ids.length)
    throw new Error(`${failed} of ${done.length} evacuations failed, ${ids.length} were wanted`);
  const ends = done.map((row) => Date.parse(row.ended_at ?? ''));
  return {
    begun: Math.min(...done.map((row) => Date.parse(row.started_at))),
    first: Math.min(...ends),
    last: Math.max(...ends),
  };
}
