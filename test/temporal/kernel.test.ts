/** What only a real Temporal can show: terminate, reset, a deploy, a cancel, and what its UI gets to see. */
import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, type WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { getOperation, listMigrations, listOperations } from '../../activities/inventory/records.js';
import { getRun } from '../../activities/inventory/runs.js';
import type { RunProgress } from '../../model/run.js';
import { LANGUAGE_VERSION, runbookSchema } from '../../model/runbook.js';
import { searchAttributes } from '../../workflows/search-attributes.js';
import { broken } from '../proof/invariants.js';
import { boots, fault, migrations, slowLink } from '../unit/workflows/cloud.js';
import { SimulatedCloud } from './simulated.js';
import { begin, beginOther, endOf, openSite, type Site } from './site.js';
import { until } from './helpers.js';

let site: Site;
let cloud: SimulatedCloud;
let workers: Awaited<ReturnType<SimulatedCloud['serve']>> | undefined;

beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.close());
beforeEach(async () => {
  cloud = await SimulatedCloud.open();
});
afterEach(async () => {
  await workers?.stop();
  await cloud.close();
});

/** It goes on until it may `arrive`. */
async function migrating(): Promise<{ instance: string; handle: WorkflowHandle }> {
  const instance = await cloud.adopt('web-1', { local: true });
  await slowLink(cloud);
  const handle = await begin(site, 'instance.live-migrate', { instance });
  await until('the migration runs', async () => (await migrations(cloud)) === 1);
  return { instance, handle };
}
const arrive = () => fault(cloud, { do: 'restore', hosts: ['h1'] });

/** Takes the workflow back to where it had just ended the activity, or to its beginning, as the UI's reset does. */
async function reset(handle: WorkflowHandle, activity?: string): Promise<WorkflowHandle> {
  const events = (await handle.fetchHistory()).events ?? [];
  const after = events.findIndex(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity,
  );
  const task = events
    .slice(activity === undefined ? 0 : after)
    .find((event) => event.workflowTaskCompletedEventAttributes);
  const { runId } = await handle.describe();
  const answer = await site.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: handle.workflowId, runId },
    workflowTaskFinishEventId: task?.eventId ?? null,
    reason: 'test',
    requestId: randomUUID(),
  });
  return site.client.workflow.getHandle(handle.workflowId, answer.runId);
}

test('terminated in the middle of a migration: the job goes on, the janitor follows it to its end', async () => {
  workers = await cloud.serve(site);
  const { instance, handle } = await migrating();
  await handle.terminate('somebody in the UI');
  expect((await cloud.instance(instance)).operation).not.toBeNull();
  const janitor = await beginOther(site, 'janitor', 'janitor');
  await until(
    'the repair waits for it',
    async () => (await listOperations(cloud.inventory, { instance })).length === 2,
  );
  await arrive();
  expect(await janitor.result()).toMatchObject({
    up: 3,
    repaired: [expect.stringContaining('live-migrate')],
    left: [],
  });
  expect(await cloud.instance(instance)).toMatchObject({
    state: 'active',
    host: 'h2',
    operation: null,
    needsRepair: null,
  });
  expect(await broken(cloud, instance)).toEqual([]);
  const [repair, migration] = await listOperations(cloud.inventory, { instance });
  expect(repair).toMatchObject({ kind: 'repair', state: 'succeeded', by: 'janitor' });
  expect(migration).toMatchObject({
    state: 'failed',
    error: { message: expect.stringContaining('turned out to be done') },
  });
});

describe('reset', () => {
  test('in the middle of a migration: the new run finds the job and follows it, none is started twice', async () => {
    workers = await cloud.serve(site);
    const { instance, handle } = await migrating();
    const again = await reset(handle, 'claimHost');
    await until('the new run has come to the migration', async () =>
      (await again.describe()).raw.pendingActivities?.some(
        ({ activityType }) => activityType?.name === 'migrateGuest',
      ),
    );
    await arrive();
    expect(await again.result()).toMatchObject({ from: 'h1', to: 'h2' });
    const moves = await cloud.datacenter.transact((tx) => tx.all('select id from migrations'));
    expect(moves).toHaveLength(1);
    const [last] = await listMigrations(cloud.inventory, { instance });
    expect(last).toMatchObject({ state: 'completed' });
    expect(await broken(cloud, instance)).toEqual([]);
    const [operation, ...more] = await listOperations(cloud.inventory, { instance });
    expect(more).toEqual([]);
    expect(operation).toMatchObject({ state: 'succeeded', runId: (await again.describe()).runId });
  });

  test('a step of the old run that comes late is refused: a guest is rebooted once', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let late: Promise<unknown> | undefined;
    workers = await cloud.serve(site, async (activity, work) => {
      if (activity !== 'rebootGuest' || late) return work();
      // The first run's reboot waits here, beyond the reach of Temporal, until its workflow is long reset.
      const worked = gate.then(work);
      late = worked.catch((error: unknown) => error);
      return worked;
    });
    const instance = await cloud.adopt('web-1');
    const handle = await begin(site, 'instance.reboot', { instance, hard: true });
    await until('the first reboot waits', () => late !== undefined);
    const again = await reset(handle, 'beginOperation');
    expect(await again.result()).toEqual({ forced: true });
    release();
    const refused = await late;
    expect(refused).toMatchObject({ type: 'StaleOwner' });
    expect(await boots(cloud, instance)).toBe(1);
    expect(await broken(cloud, instance)).toEqual([]);
  });

  test('to its beginning: what the run before it did comes first', async () => {
    workers = await cloud.serve(site);
    const { instance, handle } = await migrating();
    const again = await reset(handle);
    await arrive();
    // It had arrived meanwhile: nobody moves it a second time, perhaps back to where it came from.
    expect(await again.result()).toEqual({ note: 'done by a run before, which was reset' });
    expect(await cloud.instance(instance)).toMatchObject({ host: 'h2', state: 'active', needsRepair: null });
    expect(await listMigrations(cloud.inventory, { instance })).toMatchObject([{ state: 'completed' }]);
    expect(await broken(cloud, instance)).toEqual([]);
  });
});

test('a deploy in the middle of a migration: the next worker finds the job and follows it', async () => {
  workers = await cloud.serve(site);
  const { instance, handle } = await migrating();
  await workers.stop();
  expect(await migrations(cloud)).toBe(1);
  workers = await cloud.serve(site);
  await until('the new worker follows it', async () =>
    (await handle.describe()).raw.pendingActivities?.some(({ attempt }) => Number(attempt) > 1),
  );
  await arrive();
  expect(await handle.result()).toMatchObject({ to: 'h2' });
  expect(await listMigrations(cloud.inventory, { instance })).toMatchObject([{ state: 'completed' }]);
  expect(await broken(cloud, instance)).toEqual([]);
});

test('a cancel aborts the job, cleans the target, and ends as cancelled; it does not take long', async () => {
  workers = await cloud.serve(site);
  const { instance, handle } = await migrating();
  const asked = Date.now();
  await handle.cancel();
  expect(await endOf(handle)).toBe('CancelledFailure');
  // Within a second or two; what is not heard of for ten is given up anyway.
  expect(Date.now() - asked).toBeLessThan(9_000);
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  expect(await cloud.instance(instance)).toMatchObject({ state: 'active', host: 'h1', needsRepair: null });
  expect(await migrations(cloud)).toBe(0);
  expect(await broken(cloud, instance)).toEqual([]);
});

test('a second start is refused while the first runs, and leaves it alone', async () => {
  workers = await cloud.serve(site);
  const { instance, handle } = await migrating();
  await expect(begin(site, 'instance.stop', { instance })).rejects.toThrow(
    WorkflowExecutionAlreadyStartedError,
  );
  await arrive();
  expect(await endOf(handle)).toBe('done');
  expect(await listOperations(cloud.inventory, { instance })).toHaveLength(1);
});

async function startRun(steps: Record<string, unknown>[]): Promise<{ id: string; handle: WorkflowHandle }> {
  const id = randomUUID();
  const runbook = runbookSchema.parse({ name: 'test', description: 'A test.', steps });
  const plan = { language: LANGUAGE_VERSION, name: 'test', digest: '0'.repeat(64), source: '', runbook };
  const order = { id, by: 'test', role: 'operator', plan, inputs: {} };
  return { id, handle: await beginOther(site, 'run-runbook', `run/${id}`, order) };
}

describe('a run', () => {
  const move = (instance: string) => [
    { id: 'move', uses: 'instance.live-migrate', with: { instance, wait: '0s' } },
  ];

  test('names who holds a busy instance', async () => {
    workers = await cloud.serve(site);
    const { instance, handle } = await migrating();
    const { id, handle: second } = await startRun(move(instance));
    expect(await endOf(second)).toBe('RunFailed');
    const { steps } = await getRun(cloud.inventory, id);
    expect(steps[0]?.items[0]).toMatchObject({
      state: 'refused',
      error: { code: 'InstanceBusy', details: { holder: 'instance.live-migrate' } },
    });
    await arrive();
    await endOf(handle);
  });

  test('whose operation somebody terminates says so; its progress can be asked meanwhile', async () => {
    workers = await cloud.serve(site);
    const instance = await cloud.adopt('web-1');
    await slowLink(cloud);
    const { id, handle } = await startRun(move(instance));
    await until('the migration runs', async () => (await migrations(cloud)) === 1);
    expect(await handle.query<RunProgress>('progress')).toMatchObject({
      steps: [{ id: 'move', state: 'running' }],
    });
    await site.client.workflow.getHandle(`test/instance/${instance}`).terminate();
    expect(await endOf(handle)).toBe('RunFailed');
    const { steps } = await getRun(cloud.inventory, id);
    expect(steps[0]?.items[0]?.error?.message).toContain('terminated from outside');
  });
});

test('the UI sees what it is, where it stands, and what each step does', async () => {
  workers = await cloud.serve(site);
  const { instance, handle } = await migrating();
  const metadata = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
  expect(metadata.currentDetails).toBe('web-1: h1 → h2, copying its disks');
  const seen = await handle.describe();
  expect(seen.type).toBe('instance.live-migrate');
  expect(await seen.staticSummary()).toBe(`instance.live-migrate ${instance}`);
  const attributes = seen.typedSearchAttributes;
  expect(attributes.get(searchAttributes.phase)).toBe('moving');
  expect(attributes.get(searchAttributes.operation)).toBe('instance.live-migrate');
  expect(attributes.get(searchAttributes.instance)).toBe(instance);
  const { events } = await handle.fetchHistory();
  const summaries = (events ?? []).flatMap(({ userMetadata }) =>
    userMetadata?.summary?.data ? [Buffer.from(userMetadata.summary.data).toString()] : [],
  );
  expect(summaries).toContain('"block migration h1 → h2"');
  await arrive();
  await endOf(handle);
  expect((await handle.describe()).typedSearchAttributes.get(searchAttributes.phase)).toBe('succeeded');
});

test('what somebody starts by hand with a wrong argument is refused, not tried for ever', async () => {
  workers = await cloud.serve(site);
  const starts = [
    ['instance.stop', undefined, 'InvalidInput'],
    ['instance.stop', 'please', 'InvalidInput'],
    ['host.disable', { request: 1, input: [] }, 'InvalidInput'],
    ['run-runbook', undefined, 'InvalidRunbook'],
    ['run-runbook', { plan: { language: 99 } }, 'InvalidRunbook'],
    ['instance.fly', {}, 'NotFound'],
  ] as const;
  for (const [type, argument, code] of starts) {
    expect(await endOf(await beginOther(site, type, `wrong/${randomUUID()}`, argument)), type).toBe(code);
  }
  expect(await listOperations(cloud.inventory)).toEqual([]);
});

test('a host without its worker is told after 20 s', async () => {
  workers = await cloud.serve(site);
  const wanted = { host: 'h3', path: '/log', tailBytes: 10 };
  const handle = await beginOther(site, 'read-serial-log', `serial/${randomUUID()}`, wanted);
  await expect(handle.result()).rejects.toMatchObject({
    cause: {
      type: 'HostWorkerMissing',
      message: expect.stringContaining('host h3'),
      details: [expect.objectContaining({ hint: 'run `drover worker --host h3` on h3' })],
    },
  });
});

test('a request that is repeated after its operation has closed gets the first answer', async () => {
  workers = await cloud.serve(site);
  const instance = await cloud.adopt('web-1');
  const request = { id: randomUUID() };
  const first = await begin(site, 'instance.reboot', { instance, hard: true }, request);
  const answer = await first.result();
  const second = await begin(site, 'instance.reboot', { instance, hard: true }, request);
  expect(await second.result()).toEqual(answer);
  expect(await boots(cloud, instance)).toBe(1);
  expect(await getOperation(cloud.inventory, request.id)).toMatchObject({ state: 'succeeded' });
});
