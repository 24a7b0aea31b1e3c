/** What the wrapper does around every operation. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { setLock } from '../../../activities/inventory/instances.js';
import { getOperation, listOperations } from '../../../activities/inventory/records.js';
import { DroverError } from '../../../model/errors.js';
import { operations } from '../../../workflows/catalogue.js';
import { operate, operateOnHost, type Order } from '../../../workflows/operate.js';
import { FakeCloud } from './fake-cloud.js';
import { FakeRun, start } from './fake-runtime.js';
import { broken, mistold } from './invariants.js';

let cloud: FakeCloud;
beforeEach(async () => {
  cloud = await FakeCloud.open();
});
afterEach(() => cloud.close());

const failedWith = (code: string) => ({ end: 'failed', error: { code } });

describe('a request that is repeated', () => {
  test('is answered as the first one, and its work is done once', async () => {
    const instance = await cloud.adopt('web-1');
    const request = { id: randomUUID() };
    const first = await start(cloud, 'instance.reboot', { instance, hard: true }, {}, request).ending;
    const { run, ending } = start(cloud, 'instance.reboot', { instance, hard: true }, {}, request);
    expect(await ending).toEqual(first);
    expect(first).toEqual({ end: 'done', result: { forced: true } });
    expect(run.log).toEqual(['beginOperation']);
    expect(cloud.world.boots.get(instance)).toBe(1);
  });

  test('gets the same error again', async () => {
    const instance = await cloud.adopt('web-1');
    const request = { id: randomUUID() };
    const input = { instance, host: 'h1' };
    const first = await start(cloud, 'instance.live-migrate', input, {}, request).ending;
    expect(first).toMatchObject(failedWith('NoValidHost'));
    expect(await start(cloud, 'instance.live-migrate', input, {}, request).ending).toEqual(first);
  });

  test('after its workflow was terminated, it is a lost one: it was reconciled, and says so', async () => {
    const instance = await cloud.adopt('web-1');
    const request = { id: randomUUID() };
    const troubles = [{ at: 'stopGuest', stop: true }];
    await start(cloud, 'instance.stop', { instance }, { troubles }, request).ending;
    await start(cloud, 'instance.repair', { instance }).ending;
    const again = await start(cloud, 'instance.stop', { instance }, {}, request).ending;
    expect(again).toMatchObject({
      ...failedWith('Cancelled'),
      error: { message: expect.stringContaining('reconciled by repair') },
    });
  });
});

test.each([
  ['an unknown shape', { request: { id: '1', by: 'me', role: 'admin', run: null }, input: { instance: 7 } }],
  ['no request', { input: { instance: 'x' } }],
  ['nothing', undefined],
  ['null', null],
  ['a text', 'please'],
])('%s is refused as InvalidInput, with no side effect', async (_what, order) => {
  for (const operation of operations.values()) {
    const run = new FakeRun(cloud, 'fake/instance/x');
    const asked = order as unknown as Order;
    const work =
      operation.target === 'host' ? operateOnHost(operation, asked, run) : operate(operation, asked, run);
    await expect(work).rejects.toMatchObject({ code: 'InvalidInput' });
    expect(run.log).toEqual([]);
  }
  expect(await listOperations(cloud.inventory)).toEqual([]);
});

test('a second operation on the instance is refused while the first runs', async () => {
  const instance = await cloud.adopt('web-1');
  cloud.world.hold = true;
  const { run, ending } = start(cloud, 'instance.live-migrate', { instance });
  await expect.poll(() => cloud.world.jobs.size).toBe(1);
  const second = start(cloud, 'instance.stop', { instance });
  await expect(second.ending).rejects.toMatchObject({ code: 'InstanceBusy' });
  run.cancel();
  expect(await ending).toMatchObject(failedWith('Cancelled'));
  expect(await broken(cloud, instance)).toEqual([]);
});

describe('a refusal is recorded, changes nothing and owns nothing', () => {
  test.each(['stopped', 'paused'] as const)('a stop of one that is %s', async (state) => {
    const instance = await cloud.adopt('web-1', { state });
    const { id, run, ending } = start(cloud, 'instance.stop', { instance });
    expect(await ending).toMatchObject(failedWith('WrongState'));
    expect(run.log).toEqual(['beginOperation']);
    expect(await getOperation(cloud.inventory, id)).toMatchObject({
      state: 'refused',
      error: { code: 'WrongState' },
    });
    expect(await broken(cloud, instance)).toEqual([]);
  });

  test('of a locked one, but for repair', async () => {
    const instance = await cloud.adopt('web-1');
    await setLock(cloud.inventory, instance, { reason: 'payroll', by: 'anna' });
    const request = { role: 'operator' as const };
    expect(await start(cloud, 'instance.stop', { instance }, {}, request).ending).toMatchObject(
      failedWith('InstanceLocked'),
    );
    expect(await start(cloud, 'instance.repair', { instance }, {}, request).ending).toMatchObject({
      end: 'done',
    });
    expect(cloud.world.alive(instance)).toEqual(['h1']);
  });

  test('of one that is not there', async () => {
    const ending = start(cloud, 'instance.stop', { instance: randomUUID() }).ending;
    expect(await ending).toMatchObject(failedWith('NotFound'));
  });
});

test('a migration copies and removes the disks that are written, and leaves an image alone that is only read', async () => {
  const instance = await cloud.adopt('web-1', { directory: '/local' });
  const iso = { target: 'sda', path: '/iso/tools.iso', format: 'raw' as const, readonly: true };
  cloud.world.disks.push({ host: 'h1', path: iso.path, instance: 'none' });
  const disks = [...(await cloud.instance(instance)).disks, iso];
  const guest = cloud.world.host('h1').guests.get(instance);
  if (guest) guest.disks = disks;
  await cloud.inventory.kysely
    .updateTable('instances')
    .set({ disks: JSON.stringify(disks) })
    .where('id', '=', instance)
    .execute();
  const { ending } = start(cloud, 'instance.live-migrate', { instance, host: 'h2' });
  expect(await ending).toMatchObject({ end: 'done', result: { to: 'h2', storage: 'block' } });
  expect(cloud.world.disks.map(({ host, path }) => `${host} ${path}`).toSorted()).toEqual([
    'h1 /iso/tools.iso',
    `h2 /local/${instance}.qcow2`,
  ]);
});

describe('repair', () => {
  test('writes down what a guest did by itself', async () => {
    const instance = await cloud.adopt('web-1');
    const guest = cloud.world.host('h1').guests.get(instance);
    if (guest) guest.power = 'shutoff';
    expect(await start(cloud, 'instance.repair', { instance }).ending).toMatchObject({ end: 'done' });
    expect(await cloud.instance(instance)).toMatchObject({ state: 'stopped', powerState: 'shutoff' });
  });

  test('keeps the reason of a launch that failed', async () => {
    const instance = randomUUID();
    const input = { instance, name: 'web-1', vcpus: 999, memory_mib: 1024, image: '/i' };
    expect(await start(cloud, 'instance.launch', input).ending).toMatchObject(failedWith('NoValidHost'));
    const before = await cloud.instance(instance);
    expect(before).toMatchObject({ state: 'error', fault: expect.stringContaining('no host can take') });
    await start(cloud, 'instance.repair', { instance }).ending;
    expect((await cloud.instance(instance)).fault).toBe(before.fault);
  });
});

describe('launch', () => {
  const order = () => ({
    instance: randomUUID(),
    name: 'web-1',
    vcpus: 1,
    memory_mib: 1024,
    image: '/i',
    directory: '/local',
  });
  const no = (at: string) => ({
    at,
    when: 'within' as const,
    fail: { error: new DroverError('DiskError', `${at}: bad disk`) },
  });

  test('takes the next host when one can’t build it, and leaves nothing on the first', async () => {
    const input = order();
    const { run, id, ending } = start(cloud, 'instance.launch', input, {
      troubles: [no('createDisk on h1')],
    });
    const ended = await ending;
    expect(ended).toMatchObject({ end: 'done', result: { host: 'h2' } });
    expect(run.log.filter((step) => step === 'claimHost')).toHaveLength(2);
    expect(cloud.world.disks.map((disk) => disk.host)).toEqual(['h2']);
    expect(await broken(cloud, input.instance)).toEqual([]);
    expect(await mistold(cloud, id, ended)).toEqual([]);
  });

  test('names what happened on each host when none can', async () => {
    const input = order();
    const troubles = ['h1', 'h2', 'h3'].map((host) => no(`createDisk on ${host}`));
    const ended = await start(cloud, 'instance.launch', input, { troubles }).ending;
    expect(ended).toMatchObject(failedWith('HypervisorError'));
    const { state, fault } = await cloud.instance(input.instance);
    expect(state).toBe('error');
    for (const host of ['h1', 'h2', 'h3'])
      expect(fault).toContain(`${host}: createDisk on ${host}: bad disk`);
    expect(await broken(cloud, input.instance)).toEqual([]);
  });

  test('does not try another host while something is left on this one', async () => {
    const input = order();
    const troubles = [no('defineGuest'), no('removeDisk on h1')];
    const { run, ending } = start(cloud, 'instance.launch', input, { troubles });
    expect(await ending).toMatchObject(failedWith('UnwindIncomplete'));
    expect(run.log.filter((step) => step === 'claimHost')).toHaveLength(1);
    await start(cloud, 'instance.repair', { instance: input.instance }).ending;
    expect(cloud.world.disks).toEqual([]);
    expect(await broken(cloud, input.instance)).toEqual([]);
  });
});
