/** What only a real Temporal can show: terminate, reset, a deploy, a cancel, and what its UI gets to see. */
import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, type WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { getOperation, listMigrations, listOperations } from '../../activities/inventory/records.js';
import { getRun } from '../../activities/inventory/runs.js';
import type { RunStepRecord } from '../../model/run.js';
import { DroverError } from '../../model/errors.js';
import { LANGUAGE_VERSION, runbookSchema } from '../../model/runbook.js';
import { searchAttributes } from '../../workflows/search-attributes.js';
import { FakeCloud } from '../unit/workflows/fake-cloud.js';
import { broken } from '../unit/workflows/invariants.js';
import { begin, beginOther, endOf, openSite, serve, type Site } from './fake-site.js';
import { until } from './helpers.js';

let site: Site;
let cloud: FakeCloud;
let workers: Awaited<ReturnType<typeof serve>> | undefined;

beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.close());
beforeEach(async () => {
  cloud = await FakeCloud.open();
});
afterEach(async () => {
  await workers?.stop();
  await cloud.close();
});

async function migrating(): Promise<{ instance: string; handle: WorkflowHandle }> {
  const instance = await cloud.adopt('web-1', { directory: '/local' });
  cloud.world.hold = true;
  const handle = await begin(site, 'instance.live-migrate', { instance });
  await until('the migration runs', () => cloud.world.jobs.has(instance));
  return { instance, handle };
}

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
  workers = await serve(site, cloud);
  const { instance, handle } = await migrating();
  await handle.terminate('somebody in the UI');
  expect((await cloud.instance(instance)).operation).not.toBeNull();
  const janitor = await beginOther(site, 'janitor', 'fake/janitor');
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
    workers = await serve(site, cloud);
    const { instance, handle } = await migrating();
    const again = await reset(handle, 'claimHost');
    await until('the new run has come to the migration', async () =>
      (await again.describe()).raw.pendingActivities?.some(
        ({ activityType }) => activityType?.name === 'migrateGuest',
      ),
    );
    cloud.world.hold = false;
    expect(await again.result()).toMatchObject({ from: 'h1', to: 'h2' });
    const migrations = await listMigrations(cloud.inventory, { instance });
    expect(migrations.filter(({ state }) => state === 'completed')).toHaveLength(1);
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
    workers = await serve(site, cloud, {
      admission: async (admit) => {
        if (late) return admit();
        // The first run's reboot waits here, beyond the reach of Temporal, until its workflow is long reset.
        const admitted = gate.then(admit);
        late = admitted.catch((error: unknown) => error);
        return admitted;
      },
    });
    const instance = await cloud.adopt('web-1');
    const handle = await begin(site, 'instance.reboot', { instance, hard: true });
    await until('the first reboot waits', () => late !== undefined);
    const again = await reset(handle, 'beginOperation');
    expect(await again.result()).toEqual({ forced: true });
    release();
    const refused = await late;
    expect(refused).toBeInstanceOf(DroverError);
    expect(refused).toMatchObject({ code: 'StaleOwner' });
    expect(cloud.world.boots.get(instance)).toBe(1);
    expect(await broken(cloud, instance)).toEqual([]);
  });

  test('to its beginning: what the run before it did comes first', async () => {
    workers = await serve(site, cloud);
    const { instance, handle } = await migrating();
    const again = await reset(handle);
    cloud.world.hold = false;
    // It had arrived meanwhile: nobody moves it a second time, perhaps back to where it came from.
    expect(await again.result()).toEqual({ note: 'done by a run before, which was reset' });
    expect(await cloud.instance(instance)).toMatchObject({ host: 'h2', state: 'active', needsRepair: null });
    expect(await listMigrations(cloud.inventory, { instance })).toMatchObject([{ state: 'completed' }]);
    expect(await broken(cloud, instance)).toEqual([]);
  });
});

test('a deploy in the middle of a migration: the next worker finds the job and follows it', async () => {
  workers = await serve(site, cloud);
  const { instance, handle } = await migrating();
  await workers.stop();
  expect(cloud.world.jobs.has(instance)).toBe(true);
  workers = await serve(site, cloud);
  await until('the new worker follows it', async () =>
    (await handle.describe()).raw.pendingActivities?.some(({ attempt }) => Number(attempt) > 1),
  );
  cloud.world.hold = false;
  expect(await handle.result()).toMatchObject({ to: 'h2' });
  expect(await listMigrations(cloud.inventory, { instance })).toMatchObject([{ state: 'completed' }]);
  expect(await broken(cloud, instance)).toEqual([]);
});

test('a cancel aborts the job, cleans the target, and ends as cancelled; it does not take long', async () => {
  workers = await serve(site, cloud);
  const { instance, handle } = await migrating();
  const asked = Date.now();
  await handle.cancel();
  expect(await endOf(handle)).toBe('CancelledFailure');
  expect(Date.now() - asked).toBeLessThan(5_000);
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  expect(await cloud.instance(instance)).toMatchObject({ state: 'active', host: 'h1', needsRepair: null });
  expect(cloud.world.jobs.size).toBe(0);
  expect(await broken(cloud, instance)).toEqual([]);
});

test('a second start is refused while the first runs, and leaves it alone', async () => {
  workers = await serve(site, cloud);
  const { instance, handle } = await migrating();
  await expect(begin(site, 'instance.stop', { instance })).rejects.toThrow(
    WorkflowExecutionAlreadyStartedError,
  );
  cloud.world.hold = false;
  expect(await endOf(handle)).toBe('done');
  expect(await listOperations(cloud.inventory, { instance })).toHaveLength(1);
});

async function startRun(steps: Record<string, unknown>[]): Promise<{ id: string; handle: WorkflowHandle }> {
  const id = randomUUID();
  const runbook = runbookSchema.parse({ name: 'test', description: 'A test.', steps });
  const plan = { language: LANGUAGE_VERSION, name: 'test', digest: '0'.repeat(64), source: '', runbook };
  const order = { id, by: 'test', role: 'operator', plan, inputs: {} };
  return { id, handle: await beginOther(site, 'run-runbook', `fake/run/${id}`, order) };
}

describe('a run', () => {
  const move = (instance: string) => [
    { id: 'move', uses: 'instance.live-migrate', with: { instance, wait: '0s' } },
  ];

  test('names who holds a busy instance', async () => {
    workers = await serve(site, cloud);
    const { instance, handle } = await migrating();
    const { id, handle: second } = await startRun(move(instance));
    expect(await endOf(second)).toBe('RunFailed');
    const { steps } = await getRun(cloud.inventory, id);
    expect(steps[0]?.items[0]).toMatchObject({
      state: 'refused',
      error: { code: 'InstanceBusy', details: { holder: 'instance.live-migrate' } },
    });
    cloud.world.hold = false;
    await endOf(handle);
  });

  test('whose operation somebody terminates says so; its progress can be asked meanwhile', async () => {
    workers = await serve(site, cloud);
    const instance = await cloud.adopt('web-1');
    cloud.world.hold = true;
    const { id, handle } = await startRun(move(instance));
    await until('the migration runs', () => cloud.world.jobs.has(instance));
    expect(await handle.query<RunStepRecord[]>('progress')).toMatchObject([{ id: 'move', state: 'running' }]);
    await site.client.workflow.getHandle(`fake/instance/${instance}`).terminate();
    expect(await endOf(handle)).toBe('RunFailed');
    const { steps } = await getRun(cloud.inventory, id);
    expect(steps[0]?.items[0]?.error?.message).toContain('terminated from outside');
  });
});

test('the UI sees what it is, where it stands, and what each step does', async () => {
  workers = await serve(site, cloud);
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
  cloud.world.hold = false;
  await endOf(handle);
  expect((await handle.describe()).typedSearchAttributes.get(searchAttributes.phase)).toBe('succeeded');
});

test('what somebody starts by hand with a wrong argument is refused, not tried for ever', async () => {
  workers = await serve(site, cloud);
  const starts = [
    ['instance.stop', undefined, 'InvalidInput'],
    ['instance.stop', 'please', 'InvalidInput'],
    ['host.disable', { request: 1, input: [] }, 'InvalidInput'],
    ['run-runbook', undefined, 'InvalidRunbook'],
    ['run-runbook', { plan: { language: 99 } }, 'InvalidRunbook'],
    ['instance.fly', {}, 'NotFound'],
  ] as const;
  for (const [type, argument, code] of starts) {
    expect(await endOf(await beginOther(site, type, `fake/wrong/${randomUUID()}`, argument)), type).toBe(
      code,
    );
  }
  expect(await listOperations(cloud.inventory)).toEqual([]);
});

test('a host without its worker is told after 20 s', async () => {
  workers = await serve(site, cloud, { without: 'h3' });
  const wanted = { host: 'h3', path: '/log', tailBytes: 10 };
  const handle = await beginOther(site, 'read-serial-log', `fake/serial/${randomUUID()}`, wanted);
  await expect(handle.result()).rejects.toMatchObject({
    cause: { type: 'HostWorkerMissing', message: expect.stringContaining('host h3') },
  });
});

test('a request that is repeated after its operation has closed gets the first answer', async () => {
  workers = await serve(site, cloud);
  const instance = await cloud.adopt('web-1');
  const request = { id: randomUUID() };
  const first = await begin(site, 'instance.reboot', { instance, hard: true }, request);
  const answer = await first.result();
  const second = await begin(site, 'instance.reboot', { instance, hard: true }, request);
  expect(await second.result()).toEqual(answer);
  expect(cloud.world.boots.get(instance)).toBe(1);
  expect(await getOperation(cloud.inventory, request.id)).toMatchObject({ state: 'succeeded' });
});
