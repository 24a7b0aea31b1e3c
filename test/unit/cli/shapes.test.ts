import { afterAll, beforeAll, expect, test } from 'vitest';
import { finishRun, startRun } from '../../../activities/inventory/runs.js';
import { makePlace, putHost, putInstance, type Place } from './drover.js';

let place: Place;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

beforeAll(async () => {
  place = makePlace();
  await place.inventory(async (inventory) => {
    await putHost(inventory, 'alpha');
    await putInstance(inventory, 1, { name: 'web', host: 'alpha' });
    const run = { id: '0a1b2c3d-0000-4000-8000-000000000000', runbook: 'drain-host', digest: 'd'.repeat(64) };
    await startRun(inventory, { ...run, source: '', inputs: { host: 'alpha' }, by: 'ann' });
    const counts = { done: 1, failed: 0, refused: 1, total: 2, error: null };
    const refused = { code: 'InstanceLocked' as const, message: 'it is locked', details: {}, hint: 'ask' };
    const items = [
      { key: 'a', label: 'web', state: 'done' as const, error: null, result: { from: 'alpha', to: 'beta' } },
      { key: 'b', label: 'db', state: 'refused' as const, error: refused, result: null },
    ];
    const steps = [{ id: 'move', name: 'Move', state: 'failed' as const, ...counts, items }];
    const error = {
      code: 'RunFailed' as const,
      message: 'Move: 1 of 2 remain: db: it is locked',
      details: {},
      hint: 'see',
    };
    await finishRun(inventory, {
      id: run.id,
      state: 'failed',
      steps,
      undone: [],
      outputs: { moved: 1 },
      error,
    });
  });
});

afterAll(() => place.remove());

const json = async (...args: string[]): Promise<unknown> =>
  JSON.parse((await place.drover([...args, '-o', 'json'])).stdout);

test('instances: keys in their order, times in UTC', async () => {
  const [instance] = (await json('instance', 'list')) as Record<string, unknown>[];
  expect(Object.keys(instance ?? {})).toEqual(
    'id name state powerState task host flavor image locked lockReason createdAt updatedAt serverGroup metadata'.split(
      ' ',
    ),
  );
  expect(instance).toMatchObject({ name: 'web', state: 'active', task: null, locked: false, metadata: {} });
  expect(instance?.['createdAt']).toMatch(time);
});

test('an instance: also its faults and what was done to it', async () => {
  const shown = (await json('instance', 'show', 'web')) as object;
  expect(shown).toMatchObject({
    fault: null,
    needsRepair: null,
    vcpus: 1,
    memoryMiB: 1024,
    disks: [],
    operations: [],
    migrations: [],
  });
});

test('hosts', async () => {
  expect(await json('host', 'list')).toEqual([
    {
      name: 'alpha',
      state: 'up',
      enabled: true,
      disabledReason: null,
      maintenance: null,
      vcpus: 8,
      vcpusUsed: 1,
      memoryMiB: 4096,
      memoryMiBUsed: 1024,
      slots: 2,
      slotsUsed: 0,
      instances: 1,
      zone: null,
      reserved: false,
      controlPlane: false,
      fence: null,
    },
  ]);
  expect(await json('host', 'show', 'alpha')).toMatchObject({
    cpuOvercommit: 4,
    systemUuid: 'uuid-alpha',
    instanceList: [{ name: 'web' }],
    runningMigrations: [],
  });
});

test('runs, also without Temporal', async () => {
  const step = {
    id: 'move',
    state: 'failed',
    done: 1,
    failed: 0,
    total: 2,
    error: null,
    refused: 1,
    name: 'Move',
  };
  expect(await json('run', 'list')).toEqual([
    {
      id: '0a1b2c3d-0000-4000-8000-000000000000',
      runbook: 'drain-host',
      state: 'failed',
      phase: 'failed',
      startedAt: expect.stringMatching(time),
      endedAt: expect.stringMatching(time),
      steps: [step],
      workflowUrl: null,
      by: 'ann',
      parent: null,
      retryOf: null,
    },
  ]);
  expect(await json('run', 'show', '0a1b')).toMatchObject({
    by: 'ann',
    outputs: { moved: 1 },
    error: { code: 'RunFailed' },
    parent: null,
    retryOf: null,
    retriedBy: null,
    approval: null,
    paused: null,
    subRuns: [],
    actions: [{ by: 'ann', action: 'start' }],
  });
});

test('a run for people: each item and why; watching it ends with its exit code', async () => {
  const shown = await place.drover(['run', 'show', '0a1b']);
  expect(shown.stdout).toContain(
    'step move: failed, 1 of 2 done, 1 refused, Move\n  web: done, alpha -> beta\n  db: refused: it is locked',
  );
  const watched = await place.drover(['run', 'watch', '0a1b']);
  expect(watched.exitCode).toBe(1);
  expect(watched.stderr).toContain('drover: Move: 1 of 2 remain: db: it is locked');
});

test('fields, YAML and tables', async () => {
  expect(
    (await place.drover(['instance', 'list', '--json', 'name,host'])).stdout.replaceAll(/\s+/g, ''),
  ).toBe('[{"name":"web","host":"alpha"}]');
  expect((await place.drover(['host', 'list', '--json', 'name', '-o', 'yaml'])).stdout).toBe('- name: alpha');
  expect((await place.drover(['host', 'list'])).stdout).toBe(
    'NAME   STATE  VCPUS  MEMORY MiB  SLOTS  INSTANCES  DISABLED BECAUSE\nalpha  up     1/8    1024/4096   0/2    1          -',
  );
});

test('NO_COLOR wins over FORCE_COLOR', async () => {
  const coloured = await place.drover(['host', 'list'], { FORCE_COLOR: '1' });
  expect(coloured.stdout).toContain('\u001B[');
  const plain = await place.drover(['host', 'list'], { FORCE_COLOR: '1', NO_COLOR: '1' });
  expect(plain.stdout).not.toContain('\u001B[');
});
