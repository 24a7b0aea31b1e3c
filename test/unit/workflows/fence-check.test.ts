import { afterEach, beforeEach, expect, test } from 'vitest';
import { armedOf, fenceCheckOf } from '../../../activities/inventory/fence-checks.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { fault, openCloud } from './cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const round = (hosts: string[] | null = null) => cloud.clock.drive(cloud.fenceCheck(hosts).ending);

test('a round over all hosts answers with those that could not be fenced, and records each', async () => {
  await fault(cloud, { do: 'bmc', hosts: ['h1'], state: 'wrong-password' });
  await fault(cloud, { do: 'bmc', hosts: ['h2'], state: 'swapped', with: 'h3' });
  expect(await round()).toMatchObject({
    end: 'done',
    result: {
      hosts: [
        { host: 'h1', devices: [{ power: null, error: expect.stringContaining('password') as string }] },
        { host: 'h2', devices: [{ binding: 'other' }] },
      ],
    },
  });
  expect(await fenceCheckOf(cloud.inventory, 'h3')).toMatchObject({
    devices: [{ device: 'h3/1 (bmc)', binding: 'same', power: 'on', error: null }],
  });
});

test('a device that says off of a host that answers could not fence it', async () => {
  await fault(cloud, { do: 'bmc', hosts: ['h1'], state: 'lie' });
  await cloud.datacenter.transact((tx) => tx.run(`update hosts set bmc_said = 'off' where name = 'h1'`));
  expect(await round()).toMatchObject({ result: { hosts: [{ host: 'h1', devices: [{ power: 'off' }] }] } });
});

test('one host by name is told whatever it says', async () => {
  expect(await round(['h2'])).toMatchObject({
    result: { hosts: [{ host: 'h2', up: true, devices: [{ binding: 'same', power: 'on' }] }] },
  });
});

test('what is armed is kept while its host is silent, and goes once the host says that it is gone', async () => {
  await fault(cloud, { do: 'self-fence', hosts: ['h1'], kind: 'watchdog', seconds: 60 });
  await round();
  const known = await armedOf(cloud.inventory, 'h1');
  expect(known).toMatchObject({ kind: 'watchdog', seconds: 60 });
  await fault(cloud, { do: 'partition', hosts: ['h1'] });
  await round();
  expect(await armedOf(cloud.inventory, 'h1')).toEqual(known);
  await fault(cloud, { do: 'restore', hosts: ['h1'] });
  await fault(cloud, { do: 'self-fence', hosts: ['h1'], kind: 'none', seconds: 60 });
  await round();
  expect(await armedOf(cloud.inventory, 'h1')).toBeNull();
});

test('what nobody could tell for an hour counts for nothing', async () => {
  await fault(cloud, { do: 'self-fence', hosts: ['h1'], kind: 'lease', seconds: 60 });
  await round();
  cloud.temporal.killWorker('any@sim');
  await cloud.clock.drive(cloud.clock.sleep(3_700_000));
  await round();
  expect(await armedOf(cloud.inventory, 'h1')).toBeNull();
});
