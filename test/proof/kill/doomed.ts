/** Operations and runs that are to meet a worker's death, each at one step. */
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { runWorkflowId, subjectWorkflowId, workflowQueue } from '../../../model/addresses.js';
import type { HostRef } from '../../../model/host.js';
import type { RunOrder } from '../../../workflows/run-state.js';
import { searchAttributesOf } from '../../../workflows/search-attributes.js';
import type { Case, Place } from '../case.js';
import { judge } from '../judge.js';
import { addRoomyHost } from '../place.js';
import { runCases } from '../runs/cases.js';
import { judgeRun } from '../runs/judge.js';
import type { RunCaseName } from '../runs/names.js';
import type { Kill } from './plan.js';
import type { Site } from './site.js';

export interface Doomed extends Pick<Kill, 'step' | 'position'> {
  /** Of the matrix. */
  row: string;
  title: string;
  prepare(place: Place): Promise<Prepared>;
}

/** Set up, and not yet begun. */
export interface Prepared {
  workflowId: string;
  start(site: Site): Promise<WorkflowHandle>;
  /** Sentences of what is wrong, given how it ended. */
  wrong(end: string): Promise<string[]>;
}

/** None must be needed: what a worker left, the next one takes up. */
const janitor = () => Promise.reject(new Error('something is open that a janitor would have to settle'));

export async function operationAt(operation: string, one: Case, place: Place): Promise<Prepared> {
  const given = await one.setUp(place);
  const id = place.uuid();
  const { input } = given;
  const subject = String(operation.startsWith('host.') ? input['host'] : input['instance']);
  const workflowId = subjectWorkflowId(place.cloud, operation, subject);
  const order = { request: { id, by: 'test', role: 'admin', run: null }, input };
  return {
    workflowId,
    start: (site) => started(site, operation, { workflowId, order, operation, subject }),
    async wrong(end) {
      const { wrong } = await judge({ operation, one, place, given, id, janitor }, end, false);
      return end === (one.fails ?? 'done') ? wrong : [...wrong, `it ended ${end}`];
    },
  };
}

export async function runAt(name: RunCaseName, place: Place): Promise<Prepared> {
  const given = await runCases[name](place);
  const id = place.uuid();
  const { plan, inputs } = given;
  const order: RunOrder = { id, by: 'test', role: 'admin', plan, inputs, retry: null };
  const workflowId = runWorkflowId(place.cloud, id);
  return {
    workflowId,
    start: (site) => started(site, 'run-runbook', { workflowId, order, operation: null, subject: null }),
    async wrong(end) {
      const wrong = await judgeRun({ place, given, id, janitor }, end, false);
      return end === 'done' ? wrong : [...wrong, `it ended ${end}`];
    },
  };
}

/** As drover's client starts it. */
function started(
  { client, world }: Site,
  type: string,
  of: { workflowId: string; order: object; operation: string | null; subject: string | null },
): Promise<WorkflowHandle> {
  const { workflowId, order, operation, subject } = of;
  const { cloud } = world;
  return client.workflow.start(type, {
    workflowId,
    taskQueue: workflowQueue(cloud, type),
    args: [order],
    workflowIdConflictPolicy: 'FAIL',
    // A task that died with its worker is given to the next soon.
    workflowTaskTimeout: '3s',
    typedSearchAttributes: searchAttributesOf({ cloud, operation, subject, runbook: null, host: null }),
  });
}

/** Places in the one world of the site: hosts of their own only where hosts are worked on. */
export function placesOf({ world }: Site): (row: string) => Promise<Place> {
  const hosts: HostRef[] = [];
  return async (row) => {
    const name = `it-${randomUUID().slice(0, 8)}`;
    while (hosts.length < 3) hosts.push(await addRoomyHost(world, `h${hosts.length + 1}`));
    const [first, second, third] = hosts as [HostRef, HostRef, HostRef];
    const own = /^(host\.|instance\.evacuate$|run: )/.test(row)
      ? await addRoomyHost(world, `own-${name}`)
      : third;
    return { ...world, name, hosts: [first, second, own] };
  };
}
