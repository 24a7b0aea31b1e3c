import { afterEach, beforeEach, expect, test } from 'vitest';
import { getInstance } from '../../../activities/inventory/instances.js';
import { getOperation } from '../../../activities/inventory/records.js';
import { admit, finish, halfMoved, reconcile, twoHosts } from './half-moved.js';
import { callOf } from '../../call.js';
import { allocations, ask, begin, failure, intents, told, undo, type World } from './world.js';

let world: World;
beforeEach(async () => {
  world = await twoHosts();
});
afterEach(() => world.close());

const none = callOf(null);

test('the next operation takes over, undoes, closes its predecessor truthfully and begins', async () => {
  await halfMoved(world, 'op1');
  const answer = await reconcile(world, 'op2');
  expect(answer.predecessor).toMatchObject({ id: 'op1', kind: 'live-migrate' });
  expect(answer.intents.map((one) => one.seq)).toEqual([3, 2, 1]);
  expect(await reconcile(world, 'op2')).toEqual(answer);
  await world.act.releaseClaim({ claim: 'c1' }, none);
  const settled = answer.intents.map(({ operation, seq }) => ({ operation, seq }));
  const done = {
    owner: answer.owner,
    predecessor: 'op1',
    patch: { state: 'active' as const },
    settled,
    left: [],
    note: 'its work was undone',
  };
  const { instance } = await world.act.reconciled(done, none);
  expect(instance).toMatchObject({ host: 'kvm-1', operation: 'op2', needsRepair: null });
  expect(await world.act.reconciled(done, none)).toEqual({ instance });
  const record = await getOperation(world.inventory, 'op1');
  expect(record.state).toBe('failed');
  expect(record.error?.message).toMatchInlineSnapshot(
    `"its workflow ended without closing it (terminated or lost); reconciled by live-migrate op2: its work was undone"`,
  );
  const owner = await begin(world, 'op2', 'i1');
  expect(owner.epoch).toBe(answer.owner.epoch + 1);
  expect(await begin(world, 'op2', 'i1')).toEqual(owner);
  await finish(world, owner);
  expect(await allocations(world)).toMatchObject([{ id: 'instance/i1', host: 'kvm-1' }]);
});

test('work that turns out to be done: the undos of the lost operation are moot, its clean-up is ordered', async () => {
  await halfMoved(world, 'op1');
  const answer = await reconcile(world, 'op2');
  // The guest runs on kvm-2: to remove "the half copied disk" now would remove its disk.
  const { intents: cleanups } = await world.act.commit(
    { owner: answer.owner, patch: { host: 'kvm-2' }, cleanup: [undo('the old disk', { path: '/old' })] },
    none,
  );
  const open = (await intents(world)).filter((one) => one.state === 'open');
  expect(open.map((one) => `${one.operation}: ${one.says}`)).toEqual(['op2: the old disk']);
  expect(await allocations(world)).toMatchObject([{ id: 'c1', host: 'kvm-2', operation: null, slots: 0 }]);
  const { instance } = await world.act.reconciled(
    { owner: answer.owner, predecessor: 'op1', patch: {}, settled: cleanups, left: [], note: '' },
    none,
  );
  expect(instance).toMatchObject({ host: 'kvm-2', needsRepair: null });
});

test('a guest that is seen elsewhere moves its allocation, with a claim there or without', async () => {
  await begin(world, 'op1', 'i1');
  const { owner } = await reconcile(world, 'op2');
  await world.act.reconciled(
    { owner, predecessor: 'op1', patch: { host: 'kvm-2' }, settled: [], left: [], note: '' },
    none,
  );
  expect(await allocations(world)).toMatchObject([
    { id: 'instance/i1', host: 'kvm-2', memory_mib: 1024, slots: 0 },
  ]);
});

test('what the reconciler leaves sets needs-repair, and the operation is refused', async () => {
  await halfMoved(world, 'op1');
  const { owner } = await reconcile(world, 'op2');
  const left = ['the migration (no answer)', 'the half copied disk', 'the claim'];
  await world.act.reconciled({ owner, predecessor: 'op1', patch: {}, settled: [], left, note: '' }, none);
  expect(await told(world.act.beginOperation(ask('op2', 'i1'), none))).toMatchInlineSnapshot(`
    "NeedsRepair: instance web-i1 needs repair: the migration (no answer); the half copied disk; the claim
    → see \`drover instance show\`; the janitor tries again, or terminate the instance"
  `);
  expect(await getInstance(world.inventory, 'i1')).toMatchObject({ operation: null, task: null });
  expect(await getOperation(world.inventory, 'op2')).toMatchObject({
    state: 'refused',
    error: { code: 'NeedsRepair' },
  });
});

test('an operation that is lost while it reconciles leaves none open behind it', async () => {
  await halfMoved(world, 'op1');
  await reconcile(world, 'op2');
  const { owner, predecessor, intents: open } = await reconcile(world, 'op3');
  expect(predecessor?.id).toBe('op2');
  expect(open).toHaveLength(3);
  const settled = open.map(({ operation, seq }) => ({ operation, seq }));
  await world.act.reconciled({ owner, predecessor: 'op2', patch: {}, settled, left: [], note: '' }, none);
  for (const lost of ['op1', 'op2']) {
    expect((await getOperation(world.inventory, lost)).state).toBe('failed');
  }
  expect(await allocations(world)).toHaveLength(1);
});

test('a deleted instance with something left is repaired, and stays deleted', async () => {
  const owner = await begin(world, 'op1', 'i1');
  await admit(world, owner, 1, undo('a disk on a host that is away'));
  await world.act.finishOperation(
    {
      owner,
      state: 'failed',
      patch: { state: 'deleted' },
      result: null,
      error: null,
      settled: [],
      left: ['a disk'],
    },
    none,
  );
  expect(await allocations(world)).toEqual([]);
  expect((await failure(world.act.beginOperation(ask('op2', 'i1'), none))).code).toBe('NotFound');
  const repair = { kind: 'repair', allowedStates: null, respectsNeedsRepair: false };
  const answer = await reconcile(world, 'op3', repair);
  const patch = { state: 'error' as const, powerState: 'absent', fault: 'no guest was found' };
  const settled = answer.intents;
  await world.act.reconciled(
    { owner: answer.owner, predecessor: null, patch, settled, left: [], note: '' },
    none,
  );
  await finish(world, await begin(world, 'op3', 'i1', repair));
  expect(await getInstance(world.inventory, 'i1')).toMatchObject({
    state: 'deleted',
    host: null,
    needsRepair: null,
    fault: null,
  });
});
