/** How many evacuations run towards one host at a time. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimHost } from '../../../activities/inventory/claims.js';
import { transact } from '../../../activities/inventory/database.js';
import { callOf } from '../../call.js';
import { begin, claimOf, guest, host, makeWorld, type World } from './world.js';

let world: World;
beforeEach(async () => {
  world = await makeWorld();
  await host(world, 'lost');
  await host(world, 'a');
  for (const id of ['1', '2', '3']) await guest(world, id, 'lost');
});
afterEach(() => world.close());

const claim = async (id: string, perTarget: number, beats: unknown[] = []) => {
  const owner = await begin(world, `op${id}`, id);
  await transact(world.inventory, (trx) =>
    trx.updateTable('operations').set({ kind: 'evacuate' }).where('id', '=', `op${id}`).execute(),
  );
  const call = { ...callOf(owner), heartbeat: (beat: unknown) => void beats.push(beat) };
  const input = claimOf(`c${id}`, { from: null, lost: 'lost', exclude: ['lost'], waitSeconds: 0 });
  return claimHost({ ...world.deps, perTarget: () => perTarget }, input, call);
};

test('the third waits until one of the two has come to its end, and takes another host at once where there is one', async () => {
  for (const id of ['1', '2']) expect((await claim(id, 2)).host.name).toBe('a');
  const beats: unknown[] = [];
  const third = claim('3', 2, beats);
  await expect.poll(() => beats.length).toBeGreaterThan(0);
  expect(beats[0]).toMatchObject({
    waitingFor: 'another evacuation',
    says: 'a take no more evacuations at a time',
  });
  // It runs there now: its claim is permanent.
  await transact(world.inventory, (trx) =>
    trx.updateTable('allocations').set({ operation: null }).where('id', '=', 'c1').execute(),
  );
  expect((await third).host.name).toBe('a');
  await host(world, 'b');
  await guest(world, '4', 'lost');
  expect((await claim('4', 2)).host.name).toBe('b');
});

test('where there is no room at all nobody waits for it', async () => {
  await claim('1', 1);
  await transact(world.inventory, async (trx) => {
    await trx.updateTable('hosts').set({ memory_mib: 1024 }).where('name', '=', 'a').execute();
    await trx.updateTable('host_usage').set({ memory_mib_free: 0 }).where('host', '=', 'a').execute();
  });
  await expect(claim('2', 1)).rejects.toMatchObject({ code: 'NoValidHost' });
});
