import { afterEach, beforeEach, expect, test } from 'vitest';
import { read } from '../../../activities/inventory/database.js';
import {
  epochMargin,
  olderRows,
  reconcileRestored,
  type Stamped,
} from '../../../activities/inventory/restored.js';
import { callOf } from '../../call.js';
import { begin, failure, guest, host, makeWorld, type World } from './world.js';

let world: World;
beforeEach(async () => {
  world = await makeWorld();
  await host(world, 'h1');
});
afterEach(() => world.close());

const stamped = (id: string, operation: string, epoch: number, on = 'h1'): Stamped => ({
  host: on,
  guest: { id, stamp: { instance: id, operation, epoch } },
});
const epochs = () =>
  read(world.inventory, (db) => db.selectFrom('instances').select(['id', 'epoch']).orderBy('id').execute());

test('older is a row whose guest bears a newer epoch, or an operation that was never recorded', () => {
  const rows = [
    { id: 'a', epoch: 4 },
    { id: 'b', epoch: 4 },
  ];
  const older = (...all: Stamped[]) => olderRows(rows, all, new Set(['known'])).map(({ stamped: at }) => at);
  expect(older(stamped('a', 'known', 4), stamped('b', 'known', 1))).toEqual([]);
  expect(older(stamped('a', 'known', 5))).toEqual([5]);
  expect(older(stamped('a', 'lost', 3))).toEqual([3]);
  expect(
    older(stamped('a', 'lost', 5), stamped('a', 'lost', 7, 'h2'), stamped('a', 'lost', 6, 'h3')),
  ).toEqual([7]);
  // Of instances that nobody knows other findings tell; without a stamp nothing is proven.
  expect(older(stamped('c', 'lost', 9), { host: 'h1', guest: { id: 'a', stamp: null } })).toEqual([]);
  // Reconciled, or adopted with the stamp of another inventory.
  expect(olderRows([{ id: 'a', epoch: 5 + epochMargin }], [stamped('a', 'lost', 5)], new Set())).toEqual([]);
});

test('all epochs are raised once, above every stamp; an owner from before is late', async () => {
  for (const id of ['a', 'b', 'c']) await guest(world, id, 'h1');
  const owner = await begin(world, 'op-b', 'b');
  const seen = [stamped('a', 'lost', 7), stamped('b', 'op-b', 1)];
  expect(await reconcileRestored(world.inventory, [stamped('b', 'op-b', 1)])).toEqual({ raised: 0 });
  expect(await reconcileRestored(world.inventory, seen)).toEqual({ raised: 3 });
  const raised = [
    { id: 'a', epoch: 7 + epochMargin },
    { id: 'b', epoch: 1 + epochMargin },
    { id: 'c', epoch: epochMargin },
  ];
  expect(await epochs()).toEqual(raised);
  expect(await reconcileRestored(world.inventory, seen)).toEqual({ raised: 0 });
  expect(await epochs()).toEqual(raised);
  const late = world.act.admit({ owner, seq: 1, undo: null }, callOf(null));
  expect((await failure(late)).code).toBe('StaleOwner');
  expect(await begin(world, 'op-a', 'a')).toMatchObject({ epoch: 8 + epochMargin });
});
