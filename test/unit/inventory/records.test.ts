import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFlavor, deleteFlavor, getFlavor, listFlavors } from '../../../activities/inventory/flavors.js';
import { hypervisorInventory } from '../../../activities/inventory/for-hypervisor.js';
import { getHost, putHost, removeHost, setHostEnabled } from '../../../activities/inventory/hosts.js';
import { adoptInstance, getInstance, history, setLock } from '../../../activities/inventory/instances.js';
import { listMigrations } from '../../../activities/inventory/records.js';
import { getRun, listRuns, operationsOfRun } from '../../../activities/inventory/runs.js';
import { callOf } from '../../call.js';
import { ask, begin, expectOutcome, guest, host, makeWorld, told, type World } from './world.js';

let world: World;
beforeEach(async () => {
  world = await makeWorld();
  await host(world, 'kvm-1');
});
afterEach(() => world.close());

const none = callOf(null);
const end = { patch: {}, result: null, error: null, settled: [] };

test('what is left without an intent stays until somebody has looked again', async () => {
  await guest(world, 'i1', 'kvm-1');
  const first = await begin(world, 'op1', 'i1');
  await world.act.finishOperation({ owner: first, state: 'failed', ...end, left: ['two copies'] }, none);
  const snapshot = { kind: 'snapshot', respectsNeedsRepair: false };
  const look = expectOutcome(await world.act.beginOperation(ask('op2', 'i1', snapshot), none), 'reconcile');
  const seen = { owner: look.owner, predecessor: null, patch: {}, settled: [], note: '' };
  await world.act.reconciled({ ...seen, left: ['two copies'] }, none);
  const second = await begin(world, 'op2', 'i1', snapshot);
  await world.act.finishOperation({ owner: second, state: 'succeeded', ...end, left: [] }, none);
  expect((await getInstance(world.inventory, 'i1')).needsRepair).toBe('two copies');
  const again = expectOutcome(await world.act.beginOperation(ask('op3', 'i1', snapshot), none), 'reconcile');
  await world.act.reconciled({ ...seen, owner: again.owner, left: [] }, none);
  expect((await getInstance(world.inventory, 'i1')).needsRepair).toBeNull();
  expect((await history(world.inventory, 'i1')).map((one) => one.id)).toEqual(['op3', 'op2', 'op1']);
});

test('a run keeps its frozen source, its first end, and its items', async () => {
  await guest(world, 'i1', 'kvm-1');
  const run = {
    id: 'r1',
    runbook: 'drain',
    digest: 'd',
    source: 'name: drain',
    inputs: { host: 'a' },
    by: 'bob',
  };
  await world.act.startRun(run, none);
  await world.act.startRun({ ...run, by: 'eve' }, none);
  const item = {
    id: 'op1',
    by: 'bob',
    role: 'operator' as const,
    run: { id: 'r1', step: 'move', item: 'i1' },
  };
  await begin(world, 'op1', 'i1', { request: item });
  const finish = { id: 'r1', steps: [], undone: [], outputs: { moved: 1 }, error: null };
  await world.act.finishRun({ ...finish, state: 'succeeded' }, none);
  await world.act.finishRun({ ...finish, state: 'failed' }, none);
  const found = await getRun(world.inventory, 'r1');
  expect(found).toMatchObject({ ...run, state: 'succeeded', outputs: { moved: 1 } });
  expect(await listRuns(world.inventory)).toEqual([found]);
  expect(await listRuns(world.inventory, { state: 'failed' })).toEqual([]);
  expect(await operationsOfRun(world.inventory, 'r1')).toMatchObject([
    { id: 'op1', step: 'move', item: 'i1' },
  ]);
  expect(await told(getRun(world.inventory, 'r2'))).toMatchInlineSnapshot(`
    "NotFound: no run has the id "r2"
    → list the runs with \`drover run list\`"
  `);
});

test('a migration: told twice it is one; completed is final, a failure may be corrected', async () => {
  const records = hypervisorInventory(world.inventory);
  const move = { operation: 'op1', instance: 'i1', source: 'a', target: 'b', storage: 'block' as const };
  const facts = { downtimeMs: 12.5, totalMs: 2000, transferredBytes: 5_000_000_000 };
  const lost = { downtimeMs: null, totalMs: null, transferredBytes: null, reason: 'connection lost' };
  await records.migrationStarted({ id: 'm1', ...move });
  await records.migrationEnded('m1', { state: 'failed', ...lost });
  await records.migrationStarted({ id: 'm1', ...move });
  expect(await listMigrations(world.inventory)).toMatchObject([
    { id: 'm1', state: 'running', endedAt: null },
  ]);
  await records.migrationEnded('m1', { state: 'completed', ...facts, reason: null });
  await records.migrationEnded('m1', { state: 'failed', ...lost });
  await records.migrationStarted({ id: 'm1', ...move });
  expect(await listMigrations(world.inventory, { instance: 'i1' })).toMatchObject([
    { ...move, ...facts, state: 'completed', reason: null },
  ]);
});

test('a host: facts stay while it does not answer; settings change; it goes when it is empty', async () => {
  const records = hypervisorInventory(world.inventory);
  expect(await records.hosts()).toEqual([{ name: 'kvm-1', uri: 'test+ssh://kvm-1/system' }]);
  await records.recordProbe('kvm-1', { up: false, reason: 'timed out' });
  expect(await getHost(world.inventory, 'kvm-1')).toMatchObject({
    state: 'unknown',
    stateReason: 'timed out',
    vcpus: 8,
  });
  const off = { host: 'kvm-1', enabled: false, reason: 'disks', by: 'bob' };
  expect(await setHostEnabled(world.inventory, off)).toEqual({ was: { enabled: true, reason: null } });
  expect(await setHostEnabled(world.inventory, off)).toEqual({ was: { enabled: false, reason: 'disks' } });
  const settings = { uri: 'new://', slots: 5, cpuOvercommit: 2, memoryMiBReserved: 1, labels: { rack: '1' } };
  await putHost(world.inventory, { name: 'kvm-1', ...settings });
  expect(await getHost(world.inventory, 'kvm-1')).toMatchObject({ ...settings, enabled: false, vcpus: 8 });
  expect(await world.act.listHosts({ enabled: true }, none)).toEqual([]);
  await removeHost(world.inventory, 'kvm-1');
  expect(await records.hosts()).toEqual([]);
});

test('an adoption may exceed the host, and says so', async () => {
  const adopted = await adoptInstance(world.inventory, {
    id: 'i1',
    name: 'big',
    host: 'kvm-1',
    state: 'active',
    powerState: 'running',
    flavor: null,
    vcpus: 9,
    memoryMiB: 10_000,
    disks: [{ target: 'vda', path: '/d', format: 'qcow2', readonly: false }],
    metadata: { team: 'x' },
  });
  expect(adopted.warnings).toMatchInlineSnapshot(`
    [
      "host kvm-1 now has 10000 MiB of memory in use, more than its 8192 MiB: nothing more is placed there",
      "host kvm-1 now has 9 vCPUs in use, more than its 8: nothing more is placed there",
    ]
  `);
  expect(await getInstance(world.inventory, 'big')).toEqual(adopted.instance);
  expect(await getHost(world.inventory, 'kvm-1')).toMatchObject({
    vcpusUsed: 9,
    memoryMiBUsed: 10_000,
    instances: 1,
  });
  const locked = await setLock(world.inventory, 'big', { reason: 'why', by: 'bob' });
  expect(locked).toMatchObject({ locked: true, lockReason: 'why', lockedBy: 'bob' });
  expect(await setLock(world.inventory, 'i1', null)).toMatchObject({ locked: false, lockReason: null });
});

test('flavors: by name or id', async () => {
  const small = { id: 'f1', name: 'small', vcpus: 1, memoryMiB: 512, diskGiB: 0 };
  await createFlavor(world.inventory, small);
  expect(await getFlavor(world.inventory, 'f1')).toEqual(small);
  expect(await told(createFlavor(world.inventory, { ...small, id: 'f2' }))).toMatchInlineSnapshot(`
    "AlreadyExists: there is a flavor "small" already
    → choose another name, or remove the other one"
  `);
  expect(await told(getFlavor(world.inventory, 'smal'))).toMatchInlineSnapshot(`
    "NotFound: there is no flavor "smal" — did you mean "small"?
    → list the flavors with \`drover flavor list\`"
  `);
  await deleteFlavor(world.inventory, 'small');
  expect(await listFlavors(world.inventory)).toEqual([]);
});
