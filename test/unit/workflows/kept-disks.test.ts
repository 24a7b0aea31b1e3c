/** What was stored of an instance that is terminated while its host is fenced. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getOperation } from '../../../activities/inventory/records.js';
import { keptDisks } from '../../../activities/recovery/kept-disks.js';
import { slow } from '../../../activities/simulator/host-power.js';
import { imageDirectory, localDirectory, sharedDirectory } from '../../../activities/simulator/hosts.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { alive, disks, fault, openCloud, until } from './cloud.js';
import { comeBack, lose, placeOn } from './returned.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const terminate = (instance: string, more = {}) =>
  cloud.operation('instance.terminate', { instance }, { by: 'ann', role: 'operator', ...more });
const readmit = async () => (await cloud.operation('host.readmit', { host: 'h1' }).ending) as unknown;
const kept = async () =>
  (await keptDisks(cloud.inventory.kysely, { host: 'h1' })).map(({ name, path }) => `${name} ${path}`);

test('on shared storage another host removes it at once, and nothing waits', async () => {
  const web = await cloud.adopt('web-1');
  await lose(cloud, 'h1');
  const { ending, id } = terminate(web, { twice: true });
  expect(await ending).toMatchObject({ end: 'done' });
  expect(await disks(cloud)).toEqual([]);
  expect(await kept()).toEqual([]);
  expect((await getOperation(cloud.inventory, id))?.result).not.toHaveProperty('waits_for_readmission');
  expect((await cloud.instance(web)).needsRepair).toBeNull();
});

test('by the word of the operator nobody is asked to prove it', async () => {
  const web = await cloud.adopt('web-1');
  const [file = ''] = await disks(cloud);
  const directory = file.replace(/^[^:]*:/, '').replace(/\/[^/]*$/, '');
  for (const host of ['h1', 'h3'])
    await cloud.operation('host.set', { host, storage: { nfs: directory } }).ending;
  await lose(cloud, 'h1');
  const order = terminate(web);
  expect(await order.ending).toMatchObject({ end: 'done' });
  expect(await disks(cloud)).toEqual([]);
  expect(order.calls).not.toContain('writeProbe');
});

test('what only its host has is told, kept, and removed by the readmission', async () => {
  const web = await cloud.adopt('web-1', { local: true });
  await lose(cloud, 'h1');
  const { ending, id } = terminate(web);
  expect(await ending).toMatchObject({ end: 'done' });
  expect((await getOperation(cloud.inventory, id))?.result).toMatchObject({
    waits_for_readmission: [expect.stringContaining('kept until h1 is readmitted, which removes it')],
  });
  expect(await kept()).toEqual([expect.stringMatching(/^web-1 .*web-1\.qcow2$/)]);
  // The janitor has nothing to do with it meanwhile, and its name is free.
  expect(await cloud.janitor().ending).toMatchObject({ result: { repaired: [], left: [] } });
  await comeBack(cloud, 'h1');
  expect(await readmit()).toMatchObject({
    result: { note: expect.stringContaining('disks removed that had waited for it'), removed: ['web-1'] },
  });
  expect(await disks(cloud)).toEqual([]);
  expect(await kept()).toEqual([]);
});

test('a disk that somebody else has by now stays, and waits no longer', async () => {
  const web = await cloud.adopt('web-1', { local: true });
  const db = await cloud.adopt('db', { local: true });
  await lose(cloud, 'h1');
  await terminate(web).ending;
  const { disks: of } = await cloud.instance(web);
  await cloud.inventory.kysely
    .updateTable('instances')
    .set({ disks: JSON.stringify(of) })
    .where('id', '=', db)
    .execute();
  await comeBack(cloud, 'h1');
  expect(await readmit()).toMatchObject({
    result: { note: expect.stringContaining('it is a disk of db') },
  });
  expect(await disks(cloud)).toHaveLength(2);
  expect(await kept()).toEqual([]);
});

test('without its worker the host is readmitted all the same, and the janitor removes it later', async () => {
  const web = await cloud.adopt('web-1', { local: true });
  await lose(cloud, 'h1');
  await terminate(web).ending;
  await comeBack(cloud, 'h1');
  await fault(cloud, { do: 'fail', call: 'removeDisk', host: 'h1', nth: 1, times: 1000, message: 'not now' });
  expect(await readmit()).toMatchObject({ end: 'done', result: { enabled: true } });
  expect((await cloud.instance(web)).needsRepair).toContain('h1, which is back');
  await cloud.datacenter.transact((tx) => tx.run('delete from faults'));
  await cloud.janitor().ending;
  expect(await disks(cloud)).toEqual([]);
  expect(await cloud.instance(web)).toMatchObject({ state: 'deleted', needsRepair: null });
});

test('where another host has a disk of its own under that path, only the one that is meant goes', async () => {
  // Two hosts that share a directory of the same name, which is the lost host's own.
  const web = await cloud.adopt('web-1', { local: true });
  await placeOn(cloud, web, 'h2');
  await lose(cloud, 'h1');
  await cloud.inventory.kysely.updateTable('instances').set({ host: 'h1' }).execute();
  await terminate(web).ending;
  expect(await disks(cloud)).toHaveLength(2);
  expect(await alive(cloud, web)).toEqual(['h2']);
});

describe.each([
  ['the host', localDirectory],
  ['shared storage', sharedDirectory],
])('a launch on %s that gave up before its host was fenced', (_, directory) => {
  const launch = (more = {}) =>
    cloud.operation('instance.launch', {
      instance: cloud.random.uuid(),
      name: 'new',
      vcpus: 1,
      memory_mib: 512,
      image: `${imageDirectory}/debian-12.qcow2`,
      directory,
      ...more,
    });

  test('says what to do, goes with a terminate, and leaves nothing', async () => {
    await cloud.datacenter.transact((tx) => slow(tx, 'h1', { callMs: 2000, link: null }));
    const first = launch({ host: 'h1', attempts: 1 });
    await until(cloud, 'it is defined', () => first.calls.includes('startGuest'));
    await fault(cloud, { do: 'partition', hosts: ['h1'] });
    expect(await first.ending).toMatchObject({ end: 'failed', error: { code: 'UnwindIncomplete' } });
    await lose(cloud, 'h1');
    expect(await cloud.janitor().ending).toMatchObject({ result: { left: [] } });
    const made = await cloud.instance('new');
    expect(made).toMatchObject({ state: 'error', powerState: 'absent', host: null, needsRepair: null });
    expect(made.fault).toBe(
      'h1 was lost while it was made there: nothing of it runs, and what it left there goes with the readmission; ' +
        'remove it with `drover instance terminate new`, then launch it again',
    );
    expect(await terminate(made.id).ending).toMatchObject({ end: 'done' });
    expect(await launch().ending).toMatchObject({ end: 'done' });
    expect(await kept()).toHaveLength(1);
    await comeBack(cloud, 'h1');
    expect(await readmit()).toMatchObject({ end: 'done', result: { stale_disks: [] } });
    expect(await disks(cloud)).toEqual([expect.stringContaining((await cloud.instance('new')).id)]);
    expect(await kept()).toEqual([]);
  });
});
