import { afterEach, beforeEach, expect, test } from 'vitest';
import { countsOf } from '../../../activities/inventory/counts.js';
import { transact } from '../../../activities/inventory/database.js';
import { guest, host, makeWorld, type World } from './world.js';

let world: World;
beforeEach(async () => void (world = await makeWorld()));
afterEach(() => world.close());

test('what there is is counted by its state, as numbers', async () => {
  for (const name of ['host1', 'host2', 'host3']) await host(world, name);
  await guest(world, 'web-1', 'host1');
  await guest(world, 'web-2', 'host1');
  await transact(world.inventory, async (trx) => {
    await trx.updateTable('hosts').set({ fence: '{}', enabled: 0 }).where('name', '=', 'host3').execute();
    await trx.updateTable('instances').set({ needs_repair: 'seen' }).where('id', '=', 'web-2').execute();
  });
  const counts = await countsOf(world.inventory);
  expect(counts.hosts.toSorted((a, b) => a.count - b.count)).toMatchObject([
    { enabled: false, fenced: true, count: 1 },
    { enabled: true, fenced: false, count: 2 },
  ]);
  expect(counts.instances).toEqual([{ state: 'active', count: 2 }]);
  expect(counts).toMatchObject({ instancesNeedingRepair: 1, runs: [], incidentsOpen: [] });
});
