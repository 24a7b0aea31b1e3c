import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordProbe } from '../../../activities/inventory/hosts.js';
import { getInstance } from '../../../activities/inventory/instances.js';
import { getOperation } from '../../../activities/inventory/records.js';
import { admit, finish, halfMoved, reconcile, twoHosts } from './half-moved.js';
import { callOf } from '../../call.js';
import { allocations, ask, begin, failure, told, undo, type World } from './world.js';

let world: World;
beforeEach(async () => {
  world = await twoHosts();
});
afterEach(() => world.close());

const none = callOf(null);

describe('runs of a workflow', () => {
  const workflow = 'lab/instance/i1';

  test('a run that was reset goes on with the same operation; the run before it is refused', async () => {
    const first = world.temporal.start(workflow);
    const owner = await begin(world, 'op1', 'i1');
    const second = world.temporal.start(workflow);
    await admit(world, owner, 1, null);
    expect((await getOperation(world.inventory, 'op1')).runId).toBe(second.runId);
    const asked = world.temporal.asked;
    await admit(world, owner, 2, null);
    expect(world.temporal.asked).toBe(asked);
    world.temporal.run = first;
    expect(await told(admit(world, owner, 3, undo('late')))).toMatchInlineSnapshot(`
      "StaleOwner: operation op1 (epoch 1) does not own instance web-i1: its workflow run run-1 is not the current one any more
      → nothing: the newer owner goes on"
    `);
    expect((await getOperation(world.inventory, 'op1')).runId).toBe(second.runId);
  });

  test('a reset run that remembers the epoch before an unwind may unwind', async () => {
    world.temporal.start(workflow);
    const owner = await begin(world, 'op1', 'i1');
    await admit(world, owner, 1, undo('step 1'));
    const first = await world.act.startUnwind({ owner }, none);
    world.temporal.start(workflow);
    expect((await failure(admit(world, owner, 2, null))).code).toBe('StaleOwner');
    expect(await world.act.startUnwind({ owner }, none)).toEqual(first);
  });

  test('a run that was reset to its beginning first undoes what the run before it did', async () => {
    world.temporal.start(workflow);
    const before = await halfMoved(world, 'op1');
    world.temporal.start(workflow);
    const answer = await reconcile(world, 'op1');
    expect(answer.predecessor).toMatchObject({ id: 'op1', kind: 'live-migrate' });
    expect(answer.intents).toHaveLength(3);
    expect((await failure(admit(world, before, 4, null))).code).toBe('StaleOwner');
    await world.act.releaseClaim({ claim: 'c1' }, none);
    await world.act.reconciled(
      {
        owner: answer.owner,
        predecessor: null,
        patch: {},
        settled: answer.intents,
        left: [],
        note: '',
      },
      none,
    );
    await finish(world, await begin(world, 'op1', 'i1'));
    expect(await allocations(world)).toHaveLength(1);
  });

  test('an attempt that a reset lost keeps its undo when its number is used again', async () => {
    const owner = await begin(world, 'op1', 'i1');
    await admit(world, owner, 1, undo('disk on kvm-2', { host: 'kvm-2' }));
    await admit(world, owner, 1, undo('disk on kvm-3', { host: 'kvm-3' }));
    await admit(world, owner, 1, undo('disk on kvm-3', { host: 'kvm-3' }));
    const { intents: open } = await world.act.startUnwind({ owner }, none);
    expect(open.map((one) => [one.seq, one.says])).toEqual([
      [1, 'disk on kvm-3'],
      [-1, 'disk on kvm-2'],
    ]);
  });

  test('a late begin of a terminated workflow does not take the instance from the one that runs', async () => {
    const lost = world.temporal.start(workflow);
    world.temporal.start(workflow);
    const owner = await begin(world, 'op2', 'i1');
    world.temporal.run = lost;
    expect((await failure(world.act.beginOperation(ask('op1', 'i1'), none))).code).toBe('StaleOwner');
    expect((await getInstance(world.inventory, 'i1')).operation).toBe('op2');
    expect((await getInstance(world.inventory, 'i1')).epoch).toBe(owner.epoch);
  });

  test('an operation under another workflow id is taken over only when that workflow has ended', async () => {
    world.temporal.start('other/instance/i1');
    await begin(world, 'op1', 'i1');
    world.temporal.start(workflow);
    expect(await told(world.act.beginOperation(ask('op2', 'i1'), none))).toMatchInlineSnapshot(`
      "InstanceBusy: live-migrate (op1) runs on instance web-i1, in workflow other/instance/i1
      → wait for it, or cancel it"
    `);
    world.temporal.end('other/instance/i1');
    expect((await reconcile(world, 'op3')).predecessor?.id).toBe('op1');
  });

  test('an orphan is an instance whose workflow ended, or that needs repair', async () => {
    world.temporal.start(workflow);
    const owner = await begin(world, 'op1', 'i1');
    expect(await world.act.findOrphans({}, none)).toEqual([]);
    world.temporal.end(workflow);
    expect(await world.act.findOrphans({}, none)).toMatchInlineSnapshot(`
      [
        {
          "instance": "i1",
          "name": "web-i1",
          "why": "live-migrate op1 is open, but its workflow lab/instance/i1 is not",
        },
      ]
    `);
    await world.act.finishOperation(
      {
        owner,
        state: 'failed',
        patch: {},
        result: null,
        error: null,
        settled: [],
        left: ['the disk /new on kvm-2'],
      },
      none,
    );
    expect(await world.act.findOrphans({}, none)).toMatchInlineSnapshot(`
      [
        {
          "instance": "i1",
          "name": "web-i1",
          "why": "needs repair: the disk /new on kvm-2",
        },
      ]
    `);
  });

  test('so is one whose power nobody knows, once its host answers again: found by the soak', async () => {
    world.temporal.start(workflow);
    const owner = await begin(world, 'op1', 'i1');
    const patch = { powerState: 'unknown' };
    await world.act.finishOperation(
      { owner, state: 'failed', patch, result: null, error: null, settled: [], left: [] },
      none,
    );
    await recordProbe(world.inventory, 'kvm-1', { up: false, reason: 'no route to host' });
    expect(await world.act.findOrphans({}, none)).toEqual([]);
    const facts = { hostname: 'kvm-1', systemUuid: 'kvm-1', hypervisor: 'test', vcpus: 8, memoryMiB: 8192 };
    await recordProbe(world.inventory, 'kvm-1', { up: true, facts });
    const why = 'its power is unknown, and host kvm-1 answers again';
    expect(await world.act.findOrphans({}, none)).toEqual([{ instance: 'i1', name: 'web-i1', why }]);
  });
});
