/** Items of a step, in the second language: their rows, their keys, how many may fail. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { setLock } from '../../../activities/inventory/instances.js';
import { listRunItems } from '../../../activities/inventory/run-items.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { loseGuest, openCloud } from './cloud.js';
import { adopt, begin, run, stopAll } from './runs.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

describe('max-failures in percent', () => {
  test.each([
    ['20%', 1, 'goes on after one of five', 4],
    ['19%', 1, 'is over after one of five', 0],
    ['40%', 2, 'goes on after two of five', 3],
  ])('%s', async (share, bad, _what, done) => {
    const ids = await adopt(cloud, 5);
    for (const id of ids.slice(0, bad)) await loseGuest(cloud, id);
    const [, record] = await run(cloud, { steps: [stopAll(ids, { 'max-failures': share })] });
    expect(record.steps[0]).toMatchObject({ failed: bad, done });
  });
});

test('the record of a step holds what is not done; all items are rows', async () => {
  const ids = await adopt(cloud, 3);
  await setLock(cloud.inventory, ids[0] ?? '', { reason: 'payroll', by: 'bob' });
  const started = begin(cloud, { steps: [stopAll(ids), { id: 'never', uses: 'query.hosts' }] });
  await started.ending;
  expect(started.step('stop').items.map(({ state }) => state)).toEqual(['refused']);
  const rows = await listRunItems(cloud.inventory, started.id);
  expect(rows.map(({ state }) => state).toSorted()).toEqual(['done', 'done', 'refused']);
  expect(await listRunItems(cloud.inventory, started.id, { state: 'refused' })).toMatchObject([
    { step: 'stop', key: ids[0], error: { code: 'InstanceLocked' } },
  ]);
});

test('what a list holds twice is worked on twice', async () => {
  const [id = ''] = await adopt(cloud, 1);
  const started = begin(cloud, { steps: [stopAll([id, id], { 'max-failures': 1 })] });
  await started.ending;
  expect((await listRunItems(cloud.inventory, started.id)).map(({ key, state }) => [key, state])).toEqual([
    [id, 'done'],
    [`${id}#2`, 'refused'],
  ]);
});
