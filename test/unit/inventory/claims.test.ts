import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { previewPlacement } from '../../../activities/inventory/claims.js';
import { closeInventory, openInventory } from '../../../activities/inventory/database.js';
import { createInventoryActivities } from '../../../activities/inventory/activities.js';
import { transact } from '../../../activities/inventory/database.js';
import { createGroup } from '../../../activities/inventory/groups.js';
import { getHost } from '../../../activities/inventory/hosts.js';
import type { Owner } from '../../../model/operation.js';
import { makePackage } from '../../transpile.js';
import { runProcess } from './processes.js';
import { callOf } from '../../call.js';
import { allocations, begin, claimOf, failure, guest, host, makeWorld, type World } from './world.js';

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(() => world.close());

/** `count` guests on a host with room for all, each with an operation that has begun. */
async function owners(count: number, on = 'src', slots = 100) {
  await host(world, on, { vcpus: 1000, memoryMiB: 1_000_000, slots });
  const ids = Array.from({ length: count }, (_, index) => `i${index}`);
  for (const id of ids) await guest(world, id, on);
  return Promise.all(ids.map((id) => begin(world, `op-${id}`, id)));
}

test('the host with the most free memory, then the most free vCPUs, then the first name', async () => {
  const [owner = expect.fail()] = await owners(1);
  for (const [name, vcpus, memoryMiB] of [
    ['b', 4, 4096],
    ['c', 8, 8192],
    ['d', 4, 8192],
    ['a', 8, 8192],
  ] as const) {
    await host(world, name, { vcpus, memoryMiB });
  }
  const exclude: string[] = ['src'];
  for (const expected of ['a', 'c', 'd', 'b']) {
    const { candidates } = await previewPlacement(world, claimOf('x', { exclude: [...exclude] }), null);
    expect(candidates[0]?.name).toBe(expected);
    exclude.push(expected);
  }
  expect(await allocations(world)).toHaveLength(1);
  const { host: chosen } = await world.act.claimHost(claimOf('c1', { exclude: ['src'] }), callOf(owner));
  expect(chosen).toEqual({ name: 'a', uri: 'test+ssh://a/system' });
});

test('a repeated claim answers the same host; another operation can not have it', async () => {
  const [one = expect.fail(), two = expect.fail()] = await owners(2);
  await host(world, 'a');
  await host(world, 'b');
  const first = await world.act.claimHost(claimOf('c1', { from: 'src' }), callOf(one));
  expect((await world.act.claimHost(claimOf('c1', { from: 'src' }), callOf(one))).host).toEqual(first.host);
  expect(await allocations(world)).toHaveLength(4);
  expect((await failure(world.act.claimHost(claimOf('c1'), callOf(two)))).code).toBe('AlreadyExists');
  await world.act.releaseClaim({ claim: 'c1' }, callOf(null));
  await world.act.releaseClaim({ claim: 'c1' }, callOf(null));
  expect(await allocations(world)).toHaveLength(2);
});

test('releasing what became permanent takes nothing away', async () => {
  const [owner = expect.fail()] = await owners(1);
  await host(world, 'a');
  await world.act.claimHost(claimOf('c1', { from: 'src' }), callOf(owner));
  await world.act.commit({ owner, patch: { host: 'a' }, cleanup: [] }, callOf(null));
  await world.act.releaseClaim({ claim: 'c1' }, callOf(null));
  expect(await allocations(world)).toMatchObject([{ id: 'c1', host: 'a', operation: null }]);
});

test('many claims at once on several connections: never more than there is', async () => {
  const all = await owners(24);
  await host(world, 'a', { memoryMiB: 5 * 1024 + 512, vcpus: 100 });
  await host(world, 'b', { memoryMiB: 64 * 1024, vcpus: 4 });
  const connections = await Promise.all([1, 2, 3, 4].map(() => openInventory(world.place.at)));
  const acts = connections.map((inventory) => createInventoryActivities({ ...world.deps, inventory }));
  const outcomes = await Promise.allSettled(
    all.map((owner, index) =>
      acts[index % 4]?.claimHost(claimOf(`c${index}`, { exclude: ['src'] }), callOf(owner)),
    ),
  );
  expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(9);
  expect(await getHost(world.inventory, 'a')).toMatchObject({ memoryMiBUsed: 5 * 1024 });
  expect(await getHost(world.inventory, 'b')).toMatchObject({ vcpusUsed: 4 });
  await Promise.all(connections.map(closeInventory));
});

test('migration slots: those of the targets and of the source both bound what moves', async () => {
  const all = await owners(8, 'src', 3);
  for (const name of ['a', 'b', 'c']) await host(world, name, { slots: 2 });
  const outcomes = await Promise.allSettled(
    all.map((owner, index) => world.act.claimHost(claimOf(`c${index}`, { from: 'src' }), callOf(owner))),
  );
  expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(3);
  expect(await getHost(world.inventory, 'src')).toMatchObject({ slotsUsed: 3 });
  const refusal = await failure(
    world.act.claimHost(claimOf('more', { from: 'src' }), callOf(all.at(-1) ?? expect.fail())),
  );
  expect(`${refusal.code}: ${refusal.message}`).toMatchInlineSnapshot(`
    "NoMigrationSlot: no migration slot is free for web-i7 (1 vCPU, 1024 MiB):
      a: 3 of 3 migration slots of the source src are in use
      b: 3 of 3 migration slots of the source src are in use
      c: 3 of 3 migration slots of the source src are in use
      src: the instance is there now"
  `);
  const [first = expect.fail()] = await allocations(world);
  await world.act.releaseClaim({ claim: first.id }, callOf(null));
  expect(await getHost(world.inventory, 'src')).toMatchObject({ slotsUsed: 2 });
});

test('who waits for a slot gets it when one is free, heartbeats meanwhile, and can be stopped', async () => {
  const [one = expect.fail(), two = expect.fail(), three = expect.fail()] = await owners(3, 'src', 1);
  await host(world, 'a');
  await world.act.claimHost(claimOf('c1', { from: 'src' }), callOf(one));
  const beats: unknown[] = [];
  const heartbeat = (details: Record<string, unknown>) => beats.push(details['waitingFor']);
  const waiting = world.act.claimHost(claimOf('c2', { from: 'src', waitSeconds: 20 }), {
    ...callOf(two),
    heartbeat,
  });
  const stop = new AbortController();
  const stopped = world.act.claimHost(
    claimOf('c3', { from: 'src', waitSeconds: 20 }),
    callOf(three, stop.signal),
  );
  setTimeout(() => stop.abort(new Error('stopped')), 50);
  await expect(stopped).rejects.toThrow('stopped');
  await sleep(100);
  await world.act.releaseClaim({ claim: 'c1' }, callOf(null));
  expect((await waiting).host.name).toBe('a');
  expect([...new Set(beats)]).toEqual(['a migration slot']);
  const impatient = world.act.claimHost(claimOf('c4', { from: 'src', waitSeconds: 0.6 }), callOf(three));
  expect((await failure(impatient)).code).toBe('NoMigrationSlot');
});

test('an operation that lost its instance stops waiting', async () => {
  const [one = expect.fail(), two = expect.fail()] = await owners(2, 'src', 1);
  await host(world, 'a');
  await world.act.claimHost(claimOf('c1', { from: 'src' }), callOf(one));
  const waiting = failure(world.act.claimHost(claimOf('c2', { from: 'src', waitSeconds: 20 }), callOf(two)));
  await sleep(50);
  await world.act.startUnwind({ owner: two }, callOf(null));
  expect((await waiting).code).toBe('StaleOwner');
});

test('four processes claim the same room at once: exactly what there is', async () => {
  const all = await owners(40, 'src', 12);
  await host(world, 'a', { memoryMiB: 7 * 1024, vcpus: 100, slots: 100 });
  await host(world, 'b', { memoryMiB: 1024 * 1024, vcpus: 1000, slots: 4 });
  const hosts = await claimedByFour(all, 'src');
  const count = (name: string) => hosts.filter((one) => one === name).length;
  // 4 slots on b, room for 7 on a: fewer than the 12 slots of the source.
  expect({ a: count('a'), b: count('b'), refused: count('NoMigrationSlot') }).toEqual({
    a: 7,
    b: 4,
    refused: 29,
  });
  expect(await getHost(world.inventory, 'a')).toMatchObject({ memoryMiBUsed: 7 * 1024, slotsUsed: 7 });
  expect(await getHost(world.inventory, 'b')).toMatchObject({ slotsUsed: 4, vcpusUsed: 4 });
  expect(await getHost(world.inventory, 'src')).toMatchObject({ slotsUsed: 11 });
});

test('four processes place a group whose members go apart: one on each host, and no more', async () => {
  const all = await owners(40, 'src', 12);
  await createGroup(world.inventory, 'apart', 'anti-affinity');
  await transact(world.inventory, (trx) =>
    trx.updateTable('instances').set({ server_group: 'apart' }).execute(),
  );
  const names = Array.from({ length: 10 }, (_, index) => `h${index}`);
  for (const name of names) await host(world, name, { vcpus: 1000, memoryMiB: 1024 * 1024 });
  const hosts = await claimedByFour(all, null);
  expect(hosts.filter((one) => one !== 'NoValidHost').toSorted()).toEqual(names);
  expect(hosts.filter((one) => one === 'NoValidHost')).toHaveLength(30);
});

/** The host that each got, or the code of its refusal. */
async function claimedByFour(all: readonly Owner[], from: string | null): Promise<string[]> {
  const { folder } = world.place;
  makePackage(folder);
  const source = (process: number) => `
    import { createInventoryActivities } from './activities/inventory/activities.js';
    import { openInventory, closeInventory } from './activities/inventory/database.js';
    const inventory = await openInventory(${JSON.stringify(world.place.at)});
    const yes = () => Promise.resolve(true);
    const act = createInventoryActivities({
      inventory, cloud: 'lab', currentRun: () => null, isCurrentRun: yes, isOpen: yes, capabilities: new Set() });
    const need = { vcpus: 1, memoryMiB: 1024, host: null, exclude: [], from: ${JSON.stringify(from)}, waitSeconds: 0 };
    const owners = ${JSON.stringify(all)}.filter((_, index) => index % 4 === ${process});
    const outcomes = await Promise.allSettled(owners.map((owner) =>
      act.claimHost({ claim: 'c-' + owner.instance, ...need },
        { owner, signal: new AbortController().signal, heartbeat() {} })));
    await closeInventory(inventory);
    console.log(JSON.stringify(outcomes.map((one) => one.status === 'fulfilled' ? one.value.host.name : one.reason.code)));`;
  const answers = await Promise.all([0, 1, 2, 3].map((n) => runProcess(folder, `claims-${n}`, source(n))));
  return (answers as string[][]).flat();
}
