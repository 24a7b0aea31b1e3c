import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  knowReceivers,
  listNotices,
  putNotices,
  retryNotice,
  settleNotice,
  takeNotices,
} from '../../../activities/inventory/notices.js';
import { closeInventory, openInventory, type Inventory } from '../../../activities/inventory/database.js';
import { makePlace, type TestPlace } from './place.js';

let place: TestPlace;
let inventory: Inventory;
let now: number;
beforeEach(async () => {
  place = await makePlace();
  now = Date.UTC(2026, 0, 1);
  inventory = { ...(await openInventory(place.at)), now: () => new Date(now).toISOString() };
});
afterEach(async () => {
  await closeInventory(inventory);
  await place.remove();
});

const one = (id: string, receiver = 'ops') =>
  ({ id, receiver, event: 'run-done', subject: 'r1', body: `{"id":"${id}"}` }) as const;
const take = async () => (await takeNotices(inventory, 'ops', 4)).map(({ id }) => id);
const seconds = (count: number): void => void (now += count * 1000);

it('knows since when there is a receiver, and does not forget it', async () => {
  const first = await knowReceivers(inventory, ['ops']);
  seconds(60);
  expect(await knowReceivers(inventory, ['ops', 'chat'])).toEqual(
    new Map([
      ['ops', first.get('ops')],
      ['chat', new Date(now).toISOString()],
    ]),
  );
});

it('has each once, and gives each to one sender, to the next after a kill', async () => {
  await putNotices(inventory, [one('a'), one('b'), one('c', 'chat')]);
  await putNotices(inventory, [one('a'), one('d')]);
  const both = await Promise.all([take(), take(), take()]);
  expect(both.flat().toSorted((x, y) => x.localeCompare(y))).toEqual(['a', 'b', 'd']);
  expect(await take()).toEqual([]);
  seconds(61);
  expect((await take()).length).toBe(3);
});

it('tries again after growing pauses, gives up after a day, and again by hand', async () => {
  await putNotices(inventory, [one('a')]);
  const tried: number[] = [];
  const began = now;
  for (;;) {
    const [notice] = await takeNotices(inventory, 'ops', 1);
    if (notice === undefined) break;
    tried.push((now - began) / 1000);
    await settleNotice(inventory, notice, 'it answered 500');
    const [waiting] = await listNotices(inventory);
    if (waiting?.nextAt === null || waiting === undefined) break;
    now = Date.parse(waiting.nextAt);
  }
  expect(tried.slice(0, 5)).toEqual([0, 5, 15, 35, 75]);
  expect(tried.at(-1)).toBeGreaterThan(23 * 3600);
  expect(tried.at(-1)).toBeLessThanOrEqual(24 * 3600);
  expect(await listNotices(inventory)).toMatchObject([
    { nextAt: null, error: expect.stringMatching(/^given up after \d+ attempts: it answered 500$/) },
  ]);
  await retryNotice(inventory, 'a');
  const [again] = await takeNotices(inventory, 'ops', 1);
  expect(again?.attempts).toBe(1);
  if (again) await settleNotice(inventory, again, null);
  expect(await listNotices(inventory)).toEqual([]);
  expect(await listNotices(inventory, { all: true })).toMatchObject([
    { id: 'a', sentAt: expect.any(String), error: null },
  ]);
  await expect(retryNotice(inventory, 'a')).rejects.toMatchObject({ code: 'NotFound' });
});

it('keeps what was taken for a week', async () => {
  await putNotices(inventory, [one('a')]);
  const [first] = await takeNotices(inventory, 'ops', 1);
  if (first) await settleNotice(inventory, first, null);
  seconds(8 * 24 * 3600);
  await putNotices(inventory, [one('b')]);
  const [second] = await takeNotices(inventory, 'ops', 1);
  if (second) await settleNotice(inventory, second, null);
  expect((await listNotices(inventory, { all: true })).map(({ id }) => id)).toEqual(['b']);
});
