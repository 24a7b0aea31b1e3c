/** What the wrapper does around every operation. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { setLock } from '../../../activities/inventory/instances.js';
import { getOperation, listOperations } from '../../../activities/inventory/records.js';
import { putFile } from '../../../activities/simulator/files.js';
import { setPower } from '../../../activities/simulator/guests.js';
import { localDirectory } from '../../../activities/simulator/hosts.js';
import { DroverError } from '../../../model/errors.js';
import { operations } from '../../../workflows/catalogue.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { broken } from '../../proof/invariants.js';
import {
  alive,
  boots,
  disks,
  migrating,
  migrations,
  mistold,
  no as says,
  openCloud,
  slowLink,
} from './cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const failedWith = (code: string) => ({ end: 'failed', error: { code } });

describe('a request that is repeated', () => {
  test('is answered as the first one, and its work is done once', async () => {
    const instance = await cloud.adopt('web-1');
    const request = { id: randomUUID() };
    const first = await cloud.operation('instance.reboot', { instance, hard: true }, request).ending;
    const { calls, ending } = cloud.operation('instance.reboot', { instance, hard: true }, request);
    expect(await ending).toEqual(first);
    expect(first).toEqual({ end: 'done', result: { forced: true } });
    expect(calls).toEqual(['beginOperation']);
    expect(await boots(cloud, instance)).toBe(1);
  });

  test('gets the same error again', async () => {
    const instance = await cloud.adopt('web-1');
    const request = { id: randomUUID() };
    const input = { instance, host: 'h1' };
    const first = await cloud.operation('instance.live-migrate', input, request).ending;
    expect(first).toMatchObject(failedWith('NoValidHost'));
    expect(await cloud.operation('instance.live-migrate', input, request).ending).toEqual(first);
  });

  test('after its workflow was terminated, it is a lost one: it was reconciled, and says so', async () => {
    const instance = await cloud.adopt('web-1');
    const request = { id: randomUUID() };
    const troubles = [{ at: 'stopGuest', terminate: true }];
    await cloud.operation('instance.stop', { instance }, { troubles, ...request }).ending;
    await cloud.operation('instance.repair', { instance }).ending;
    const again = await cloud.operation('instance.stop', { instance }, request).ending;
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
  for (const key of operations.keys()) {
    const run = cloud.temporal.start(key, 'virtual/instance/x', order);
    expect(await cloud.clock.drive(run.ended)).toMatchObject(failedWith('InvalidInput'));
    expect(run.calls).toEqual([]);
  }
  expect(await listOperations(cloud.inventory)).toEqual([]);
});

test('a second operation on the instance is refused while the first runs', async () => {
  const instance = await cloud.adopt('web-1');
  await slowLink(cloud);
  const first = cloud.operation('instance.live-migrate', { instance });
  await migrating(cloud);
  expect(() => cloud.operation('instance.stop', { instance })).toThrow(
    expect.objectContaining({ code: 'InstanceBusy' }),
  );
  expect(await migrations(cloud)).toBe(1);
  first.cancel();
  expect(await first.ending).toMatchObject(failedWith('Cancelled'));
  expect(await broken(cloud, instance)).toEqual([]);
});

describe('a refusal is recorded, changes nothing and owns nothing', () => {
  test.each(['stopped', 'paused'] as const)('a stop of one that is %s', async (state) => {
    const instance = await cloud.adopt('web-1', { state });
    const { id, calls, ending } = cloud.operation('instance.stop', { instance });
    expect(await ending).toMatchObject(failedWith('WrongState'));
    expect(calls).toEqual(['beginOperation']);
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
    expect(await cloud.operation('instance.stop', { instance }, request).ending).toMatchObject(
      failedWith('InstanceLocked'),
    );
    expect(await cloud.operation('instance.repair', { instance }, request).ending).toMatchObject({
      end: 'done',
    });
    expect(await alive(cloud, instance)).toEqual(['h1']);
  });

  test('of one that is not there', async () => {
    const ending = cloud.operation('instance.stop', { instance: randomUUID() }).ending;
    expect(await ending).toMatchObject(failedWith('NotFound'));
  });
});

test('a migration copies and removes the disks that are written, and leaves an image alone that is only read', async () => {
  const instance = await cloud.adopt('web-1', { local: true });
  const path = `${localDirectory}/tools.iso`;
  const iso = { target: 'sda', path, format: 'raw' as const, readonly: true };
  const both = JSON.stringify([...(await cloud.instance(instance)).disks, iso]);
  await cloud.datacenter.transact((tx) => {
    for (const host of ['h1', 'h2'])
      putFile(tx, host, { path, format: 'raw', bytes: 1024, allocated: 1024, refers_to: null });
    tx.run('update guests set disks = ? where id = ?', both, instance);
  });
  await cloud.inventory.kysely
    .updateTable('instances')
    .set({ disks: both })
    .where('id', '=', instance)
    .execute();
  const { ending } = cloud.operation('instance.live-migrate', { instance, host: 'h2' });
  expect(await ending).toMatchObject({ end: 'done', result: { to: 'h2', storage: 'block' } });
  expect(await disks(cloud)).toEqual([
    `local/h1:${path}`,
    `local/h2:${path}`,
    `local/h2:${localDirectory}/web-1.qcow2`,
  ]);
});

describe('repair', () => {
  test('writes down what a guest did by itself', async () => {
    const instance = await cloud.adopt('web-1');
    await cloud.datacenter.transact((tx) => setPower(tx, 'h1', instance, 'shutoff', 'crashed'));
    expect(await cloud.operation('instance.repair', { instance }).ending).toMatchObject({ end: 'done' });
    expect(await cloud.instance(instance)).toMatchObject({ state: 'stopped', powerState: 'shutoff' });
  });

  test('keeps the reason of a launch that failed', async () => {
    const instance = randomUUID();
    const input = { instance, name: 'web-1', vcpus: 999, memory_mib: 1024, image: '/images/debian-12.qcow2' };
    expect(await cloud.operation('instance.launch', input).ending).toMatchObject(failedWith('NoValidHost'));
    const before = await cloud.instance(instance);
    expect(before).toMatchObject({ state: 'error', fault: expect.stringContaining('no host can take') });
    await cloud.operation('instance.repair', { instance }).ending;
    expect((await cloud.instance(instance)).fault).toBe(before.fault);
  });
});

describe('launch', () => {
  const order = () => ({
    instance: randomUUID(),
    name: 'web-1',
    vcpus: 1,
    memory_mib: 1024,
    image: '/images/debian-12.qcow2',
    directory: localDirectory,
  });
  const no = (at: string) => says(at, 'within', new DroverError('DiskError', `${at}: bad disk`));

  test('takes the next host when one can’t build it, and leaves nothing on the first', async () => {
    const input = order();
    const { calls, id, ending } = cloud.operation('instance.launch', input, {
      troubles: [no('createDisk on h1')],
    });
    const ended = await ending;
    expect(ended).toMatchObject({ end: 'done', result: { host: 'h2' } });
    expect(calls.filter((step) => step === 'claimHost')).toHaveLength(2);
    expect(await disks(cloud)).toEqual([`local/h2:${localDirectory}/${input.instance}.qcow2`]);
    expect(await broken(cloud, input.instance)).toEqual([]);
    expect(await mistold(cloud, id, ended)).toEqual([]);
  });

  test('names what happened on each host when none can', async () => {
    const input = order();
    const troubles = ['h1', 'h2', 'h3'].map((host) => no(`createDisk on ${host}`));
    const ended = await cloud.operation('instance.launch', input, { troubles }).ending;
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
    const { calls, ending } = cloud.operation('instance.launch', input, { troubles });
    expect(await ending).toMatchObject(failedWith('UnwindIncomplete'));
    expect(calls.filter((step) => step === 'claimHost')).toHaveLength(1);
    await cloud.operation('instance.repair', { instance: input.instance }).ending;
    expect(await disks(cloud)).toEqual([]);
    expect(await broken(cloud, input.instance)).toEqual([]);
  });
});
