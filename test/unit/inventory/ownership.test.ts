import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getInstance } from '../../../activities/inventory/instances.js';
import { getOperation } from '../../../activities/inventory/records.js';
import type { Owner } from '../../../model/operation.js';
import { finish, twoHosts } from './half-moved.js';
import { callOf } from '../../call.js';
import {
  allocations,
  ask,
  begin,
  claimOf,
  expectOutcome,
  failure,
  intents,
  told,
  undo,
  type World,
} from './world.js';

let world: World;
beforeEach(async () => {
  world = await twoHosts();
});
afterEach(() => world.close());

const none = callOf(null);

/** A whole live migration up to its point of no return. */
async function moved(owner: Owner) {
  const { act } = world;
  await act.admit({ owner, seq: 1, undo: undo('the claim', { claim: 'c1' }, 'releaseClaim') }, none);
  await act.claimHost(claimOf('c1', { from: 'kvm-1' }), callOf(owner));
  await act.admit({ owner, seq: 2, undo: undo('the copied disk', { path: '/new' }) }, none);
  const cleanup = [undo('the old disk', { path: '/old' }), undo('the old definition')];
  return act.commit({ owner, patch: { host: 'kvm-2' }, cleanup }, none);
}

test('an operation from begin to finish: one permanent allocation on the new host, nothing else', async () => {
  const owner = await begin(world, 'op1', 'i1');
  expect(owner).toEqual({ instance: 'i1', operation: 'op1', epoch: 1 });
  expect(await getInstance(world.inventory, 'i1')).toMatchObject({ operation: 'op1', task: 'live-migrate' });
  const { intents: cleanups } = await moved(owner);
  expect(cleanups.map((one) => one.says)).toEqual(['the old definition', 'the old disk']);
  expect(await allocations(world)).toEqual([
    { id: 'c1', instance: 'i1', host: 'kvm-2', operation: null, vcpus: 1, memory_mib: 1024, slots: 0 },
  ]);
  const { sentence } = await finish(world, owner, { settled: cleanups, result: { to: 'kvm-2' } });
  expect(sentence).toBe('instance web-i1: migrating -> active (live-migrate)');
  const after = await getInstance(world.inventory, 'i1');
  expect(after).toMatchObject({ host: 'kvm-2', operation: null, task: null, needsRepair: null });
  expect(await getOperation(world.inventory, 'op1')).toMatchObject({
    state: 'succeeded',
    host: 'kvm-2',
    by: 'alice',
  });
  expect((await intents(world)).every((one) => one.state === 'closed')).toBe(true);
});

test('a repeated commit writes and orders nothing twice, also when its clean-ups are done', async () => {
  const owner = await begin(world, 'op1', 'i1');
  const first = await moved(owner);
  const again = await world.act.commit(
    {
      owner,
      patch: { host: 'kvm-2' },
      cleanup: [undo('the old disk', { path: '/old' }), undo('the old definition')],
    },
    none,
  );
  expect(again).toEqual(first);
  expect(await allocations(world)).toHaveLength(1);
});

test('a repeated begin answers the same; a closed operation answers its record', async () => {
  const owner = await begin(world, 'op1', 'i1');
  expect(await begin(world, 'op1', 'i1')).toEqual(owner);
  await finish(world, owner, { result: { n: 1 } });
  const closed = expectOutcome(await world.act.beginOperation(ask('op1', 'i1'), none), 'closed');
  expect(closed).toEqual({ outcome: 'closed', state: 'succeeded', result: { n: 1 }, error: null });
});

test('a repeated finish answers the same; another end is refused and says how it ended', async () => {
  const owner = await begin(world, 'op1', 'i1');
  const first = await finish(world, owner);
  expect(await finish(world, owner)).toEqual(first);
  expect(await told(finish(world, owner, { state: 'failed' }))).toMatchInlineSnapshot(`
    "StaleOwner: operation op1 (epoch 1) does not own instance web-i1: no operation does; it is closed as succeeded
    → nothing: the newer owner goes on"
  `);
});

describe('a stale owner is refused wherever it comes in', () => {
  const entries: Record<string, (owner: Owner) => Promise<unknown>> = {
    admit: (owner) => world.act.admit({ owner, seq: 1, undo: undo('x') }, none),
    'admit without undo': (owner) => world.act.admit({ owner, seq: 1, undo: null }, none),
    claimHost: (owner) => world.act.claimHost(claimOf('late'), callOf(owner)),
    commit: (owner) => world.act.commit({ owner, patch: { host: 'kvm-2' }, cleanup: [] }, none),
    finishOperation: (owner) => finish(world, owner),
    reconciled: (owner) =>
      world.act.reconciled(
        { owner, predecessor: null, patch: { state: 'error' }, settled: [], left: [], note: '' },
        none,
      ),
    startUnwind: (owner) => world.act.startUnwind({ owner }, none),
  };
  for (const [name, call] of Object.entries(entries)) {
    test(`${name}: after a takeover`, async () => {
      const stale = await begin(world, 'op1', 'i1');
      await world.act.beginOperation(ask('op2', 'i1'), none);
      const before = [
        await getInstance(world.inventory, 'i1'),
        await allocations(world),
        await intents(world),
      ];
      expect((await failure(call(stale))).code).toBe('StaleOwner');
      expect([
        await getInstance(world.inventory, 'i1'),
        await allocations(world),
        await intents(world),
      ]).toEqual(before);
    });
    // Unwinding twice is the same unwind.
    if (name === 'startUnwind') continue;
    test(`${name}: after its own unwind began`, async () => {
      const stale = await begin(world, 'op1', 'i1');
      await world.act.startUnwind({ owner: stale }, none);
      expect((await failure(call(stale))).code).toBe('StaleOwner');
    });
  }
});

test('who is stale is told who owns the instance, or how the operation ended', async () => {
  const first = await begin(world, 'op1', 'i1');
  await world.act.beginOperation(ask('op2', 'i1'), none);
  expect(await told(world.act.admit({ owner: first, seq: 1, undo: null }, none))).toMatchInlineSnapshot(`
    "StaleOwner: operation op1 (epoch 1) does not own instance web-i1: live-migrate op2 (epoch 2) does
    → nothing: the newer owner goes on"
  `);
  const second = { instance: 'i1', operation: 'op2', epoch: 2 };
  await world.act.reconciled(
    { owner: second, predecessor: 'op1', patch: {}, settled: [], left: [], note: 'nothing was left' },
    none,
  );
  expect(await told(world.act.startUnwind({ owner: first }, none))).toMatchInlineSnapshot(`
    "StaleOwner: operation op1 (epoch 1) does not own instance web-i1: live-migrate op2 (epoch 2) does; it is closed as failed (its workflow ended without closing it (terminated or lost); reconciled by live-migrate op2: nothing was left)
    → nothing: the newer owner goes on"
  `);
  const third = await begin(world, 'op2', 'i1');
  await world.act.startUnwind({ owner: third }, none);
  expect(await told(world.act.admit({ owner: third, seq: 1, undo: null }, none))).toMatchInlineSnapshot(`
    "StaleOwner: operation op2 (epoch 3) does not own instance web-i1: its epoch is 4 by now
    → nothing: the newer owner goes on"
  `);
});

describe('unwind', () => {
  test('hands out what is open, newest first; a repeated call answers the same epoch', async () => {
    const owner = await begin(world, 'op1', 'i1');
    for (const seq of [1, 2, 3]) await world.act.admit({ owner, seq, undo: undo(`step ${seq}`) }, none);
    const first = await world.act.startUnwind({ owner }, none);
    expect(first.owner.epoch).toBe(2);
    expect(first.intents.map((one) => one.says)).toEqual(['step 3', 'step 2', 'step 1']);
    expect(await world.act.startUnwind({ owner }, none)).toEqual(first);
    expect((await getOperation(world.inventory, 'op1')).state).toBe('unwinding');
    await finish(world, first.owner, { state: 'failed', settled: first.intents });
    expect((await failure(world.act.startUnwind({ owner }, none))).message).toContain(
      'it is closed as failed',
    );
  });

  test('an operation that takes one attempt back and makes another fences each', async () => {
    const owner = await begin(world, 'op1', 'i1');
    await world.act.admit({ owner, seq: 1, undo: undo('first attempt') }, none);
    const one = await world.act.startUnwind({ owner }, none);
    await world.act.admit({ owner: one.owner, seq: 2, undo: undo('second attempt') }, none);
    expect((await getOperation(world.inventory, 'op1')).state).toBe('running');
    const two = await world.act.startUnwind({ owner: one.owner }, none);
    expect(two.owner.epoch).toBe(one.owner.epoch + 1);
    expect((await failure(world.act.admit({ owner: one.owner, seq: 3, undo: null }, none))).code).toBe(
      'StaleOwner',
    );
  });

  test('what is left keeps its claim, sets needs-repair and refuses the next operation', async () => {
    const owner = await begin(world, 'op1', 'i1');
    const release = undo('the claim on kvm-2', { claim: 'c1' }, 'releaseClaim');
    await world.act.admit({ owner, seq: 1, undo: release }, none);
    await world.act.claimHost(claimOf('c1', { from: 'kvm-1' }), callOf(owner));
    await world.act.admit({ owner, seq: 2, undo: undo('the migration to kvm-2') }, none);
    const unwound = await world.act.startUnwind({ owner }, none);
    await finish(world, unwound.owner, {
      state: 'failed',
      left: ['the migration to kvm-2 (no answer)', 'the claim on kvm-2'],
    });
    expect((await allocations(world)).map((row) => row.id)).toEqual(['c1', 'c1/source', 'instance/i1']);
    expect(await told(world.act.beginOperation(ask('op2', 'i1'), none))).toMatchInlineSnapshot(`
      "NeedsRepair: instance web-i1 needs repair: the migration to kvm-2 (no answer); the claim on kvm-2
      → see \`drover instance show\`; the janitor tries again, or terminate the instance"
    `);
    // A repair settles it, and both slots are free again.
    const repair = { kind: 'repair', allowedStates: null, respectsNeedsRepair: false };
    const answer = expectOutcome(await world.act.beginOperation(ask('op3', 'i1', repair), none), 'reconcile');
    expect(answer.predecessor).toMatchObject({ id: 'op1', kind: 'live-migrate' });
    expect(answer.intents.map((one) => one.says)).toEqual(['the migration to kvm-2', 'the claim on kvm-2']);
    await world.act.releaseClaim({ claim: 'c1' }, none);
    const settled = answer.intents.map(({ operation, seq }) => ({ operation, seq }));
    await world.act.reconciled(
      { owner: answer.owner, predecessor: null, patch: {}, settled, left: [], note: '' },
      none,
    );
    await finish(world, await begin(world, 'op3', 'i1', repair));
    expect(await allocations(world)).toMatchObject([{ id: 'instance/i1', host: 'kvm-1', slots: 0 }]);
    expect((await getInstance(world.inventory, 'i1')).needsRepair).toBeNull();
  });
});
