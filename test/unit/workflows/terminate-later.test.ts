import { afterEach, beforeEach, expect, test } from 'vitest';
import { getHost } from '../../../activities/inventory/hosts.js';
import { getOperation } from '../../../activities/inventory/records.js';
import { casualties } from '../../../activities/recovery/plan.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { disks, fault, openCloud } from './cloud.js';
import { comeBack, guestsOf, lose } from './returned.js';

let cloud: VirtualCloud;
let instance: string;
beforeEach(async () => {
  cloud = await openCloud();
  instance = await cloud.adopt('web-1', { local: true });
});
afterEach(() => cloud.close());

const terminate = (input = {}, more = {}) =>
  cloud.operation('instance.terminate', { instance, ...input }, { by: 'ann', role: 'operator', ...more });
const silent = async () => {
  await fault(cloud, { do: 'partition', hosts: ['h1'] });
  await cloud.janitor().ending;
};
const used = async () => (await getHost(cloud.inventory, 'h1')).memoryMiBUsed;

test('on a host of unknown state it is accepted, frees nothing, and is done once the host is back', async () => {
  await silent();
  const { ending, id } = terminate({ keep_disks: true });
  expect(await ending).toMatchObject({
    end: 'done',
    result: {
      deferred: true,
      note: expect.stringContaining('web-1 is terminated later: the state of host h1'),
    },
  });
  expect(await getOperation(cloud.inventory, id)).toMatchObject({ kind: 'terminate', state: 'succeeded' });
  const waits = await cloud.instance(instance);
  expect(waits).toMatchObject({ state: 'active', host: 'h1', operation: null });
  expect(waits.cause).toBe('ann has asked to terminate it: done once h1 is back or fenced');
  expect(await used()).toBe(1024);
  // Again and again it is nothing new.
  expect(await cloud.janitor().ending).toMatchObject({ result: { repaired: [], left: [] } });
  expect(await terminate({ keep_disks: true }, { id }).ending).toMatchObject({ result: { deferred: true } });
  await fault(cloud, { do: 'restore', hosts: ['h1'] });
  expect(await cloud.janitor().ending).toMatchObject({
    result: { repaired: ['web-1: terminated: ann asked to terminate it, and h1 is back'], left: [] },
  });
  expect(await cloud.instance(instance)).toMatchObject({ state: 'deleted', host: null });
  expect(await guestsOf(cloud, 'h1')).toEqual([]);
  expect(await disks(cloud)).toHaveLength(1);
  expect(await used()).toBe(0);
  expect(await cloud.janitor().ending).toMatchObject({ result: { repaired: [], left: [] } });
});

test('each activity twice, it is one record', async () => {
  await silent();
  expect(await terminate({}, { twice: true }).ending).toMatchObject({ result: { deferred: true } });
});

test('a lock of somebody else refuses it at once', async () => {
  await cloud.operation('instance.lock', { instance, reason: 'mine' }, { by: 'bob' }).ending;
  await silent();
  expect(await terminate().ending).toMatchObject({ end: 'failed', error: { code: 'InstanceLocked' } });
});

test('once the host is fenced it is not evacuated but deleted, and its guest goes when the host is readmitted', async () => {
  await silent();
  await terminate().ending;
  await lose(cloud, 'h1');
  expect(await casualties(cloud.inventory, { host: 'h1' })).toMatchObject({
    casualties: [{ name: 'web-1', skip: 'somebody has asked to terminate it: the janitor does that now' }],
  });
  expect(await cloud.janitor().ending).toMatchObject({
    result: { repaired: ['web-1: terminated: ann asked to terminate it, and h1 is fenced'], left: [] },
  });
  expect(await cloud.instance(instance)).toMatchObject({ state: 'deleted', needsRepair: null });
  expect(await used()).toBe(0);
  await comeBack(cloud, 'h1');
  expect(await cloud.operation('host.readmit', { host: 'h1' }).ending).toMatchObject({
    result: { removed: ['web-1'] },
  });
  expect(await guestsOf(cloud, 'h1')).toEqual([]);
});

test('asked for after the host was fenced, it is done at once', async () => {
  await lose(cloud, 'h1');
  expect(await terminate().ending).toMatchObject({ end: 'done' });
  expect(await cloud.instance(instance)).toMatchObject({ state: 'deleted' });
});
