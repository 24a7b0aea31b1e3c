/** Restart policies and guests that go off by themselves, in a cloud in virtual time. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listGuestEvents } from '../../../activities/inventory/guest-events.js';
import { history } from '../../../activities/inventory/instances.js';
import { expectedPowers, recordPowers } from '../../../activities/inventory/powers.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { boots, fault, openCloud } from '../workflows/cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const done = async (operation: string, input: Record<string, unknown>) =>
  expect((await cloud.operation(operation, input).ending).end).toBe('done');
const janitor = async () => (await cloud.janitor().ending) as { result?: { repaired: string[] } };

test('a crashed guest is told with what to do, and left off', async () => {
  const instance = await cloud.adopt('web-1');
  await fault(cloud, { do: 'guest-crash', guests: ['web-1'] });
  await janitor();
  expect(await cloud.instance(instance)).toMatchObject({ state: 'stopped', cause: 'its process on h1 died' });
  expect(await listGuestEvents(cloud.inventory, instance)).toMatchObject([
    {
      host: 'h1',
      event: 'crashed',
      detail: 'crashed (crashed)',
      todo: 'start it: drover instance start web-1',
    },
  ]);
  await done('instance.start', { instance });
  expect(await cloud.instance(instance)).toMatchObject({ state: 'active', cause: null });
});

test('a restart that nobody got to begin is begun in the next round', async () => {
  const instance = await cloud.adopt('web-1');
  await done('instance.set-policy', { instance, restart: 'on-crash' });
  await fault(cloud, { do: 'guest-crash', guests: ['web-1'] });
  // Whoever asked for the repair died after it.
  await done('instance.repair', { instance });
  expect((await cloud.instance(instance)).state).toBe('stopped');
  expect((await janitor()).result?.repaired).toEqual(['web-1: started by its restart policy']);
  expect(await boots(cloud, instance)).toBe(1);
  const [start] = await history(cloud.inventory, instance, 1);
  expect(start).toMatchObject({ kind: 'start', by: 'restart-policy', state: 'succeeded' });
});

test('a start that fails again and again ends as well, and the cause says so', async () => {
  const instance = await cloud.adopt('web-1');
  await done('instance.set-policy', { instance, restart: 'on-crash' });
  await fault(cloud, { do: 'guest-crash', guests: ['web-1'] });
  await fault(cloud, { do: 'fail', call: 'start', nth: 1, times: 100, message: 'it said no' });
  for (let round = 0; round < 6; round += 1) await janitor();
  const starts = (await history(cloud.inventory, instance)).filter(({ kind }) => kind === 'start');
  expect(starts).toHaveLength(3);
  expect((await cloud.instance(instance)).cause).toContain('started again 3 times within 10 minutes');
});

test('an instance that somebody stops, or that terminates, meanwhile is not brought back', async () => {
  const instance = await cloud.adopt('web-1');
  await done('instance.set-policy', { instance, restart: 'always' });
  await done('instance.stop', { instance, grace: '1s' });
  await janitor();
  expect((await cloud.instance(instance)).state).toBe('stopped');
});

test('a power that was seen before an operation began is not written after it', async () => {
  const instance = await cloud.adopt('web-1');
  const expected = await expectedPowers(cloud.inventory, 'h1');
  await done('instance.stop', { instance, grace: '1s' });
  await done('instance.start', { instance });
  await recordPowers(cloud.inventory, 'h1', expected, [{ id: instance, power: 'shutoff' }]);
  expect((await cloud.instance(instance)).powerState).toBe('running');
});

test('a guest that is gone from its host is told as an error', async () => {
  const instance = await cloud.adopt('web-1');
  await cloud.datacenter.transact((tx) => tx.run('delete from guests'));
  await janitor();
  expect(await cloud.instance(instance)).toMatchObject({
    state: 'error',
    cause: 'h1 knows no guest of it any more',
  });
});

test('one that waits for its resize to be confirmed and goes off by itself is recorded as off, and still waits', async () => {
  const instance = await cloud.adopt('web-1', { local: true });
  await done('instance.migrate', { instance, confirm_after: 'never' });
  await fault(cloud, { do: 'guest-crash', guests: ['web-1'] });
  await janitor();
  expect(await cloud.instance(instance)).toMatchObject({ state: 'resized', powerState: 'crashed' });
  await done('instance.confirm-resize', { instance });
  expect(await cloud.instance(instance)).toMatchObject({ state: 'stopped', resized: null });
});
