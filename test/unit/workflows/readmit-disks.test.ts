import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Handle } from '../../../virtual/handle.js';
import { workerPlaces, type VirtualCloud } from '../../../virtual/cloud.js';
import { disks, openCloud } from './cloud.js';
import { comeBack, lose, placeOn } from './returned.js';

let cloud: VirtualCloud;
/** Both run on h2 by now: web-1 from the disk that all share, web-3 from a copy of its own. */
beforeEach(async () => {
  cloud = await openCloud();
  const web1 = await cloud.adopt('web-1');
  const web3 = await cloud.adopt('web-3', { local: true });
  await lose(cloud, 'h1');
  await placeOn(cloud, web1, 'h2');
  await placeOn(cloud, web3, 'h2');
  await comeBack(cloud, 'h1');
});
afterEach(() => cloud.close());

const readmit = (input: Record<string, unknown> = {}): Handle =>
  cloud.operation('host.readmit', { host: 'h1', ...input });

test('old local copies are named, and stay', async () => {
  const before = await disks(cloud);
  expect(await readmit().ending).toMatchObject({
    result: { stale_disks: [expect.stringMatching(/web-3\.qcow2 of web-3, which is on h2$/)] },
  });
  expect(await disks(cloud)).toEqual(before);
});

test('old local copies are removed when that is asked for; what is shared never', async () => {
  const before = await disks(cloud);
  expect(await readmit({ remove_stale_disks: true }).ending).toMatchObject({ result: { stale_disks: [] } });
  const gone = before.filter((disk) => disk.startsWith('local/h1:') && disk.endsWith('web-3.qcow2'));
  expect(gone).toHaveLength(1);
  expect(await disks(cloud)).toEqual(before.filter((disk) => !gone.includes(disk)));
});

test('while an operation runs on its instance a copy stays, and that is told', async () => {
  await cloud.inventory.kysely
    .updateTable('instances')
    .set({ op_id: 'x', op_kind: 'stop' })
    .where('name', '=', 'web-3')
    .execute();
  const before = await disks(cloud);
  expect(await readmit({ remove_stale_disks: true }).ending).toMatchObject({
    end: 'done',
    result: { stale_disks: [expect.stringContaining('stays: stop runs on its instance')] },
  });
  expect(await disks(cloud)).toEqual(before);
});

test('where no worker of the host tells its files, that is said', async () => {
  cloud.temporal.killWorker(workerPlaces.hosts);
  expect(await readmit({ remove_stale_disks: true }).ending).toMatchObject({
    end: 'done',
    result: { note: expect.stringContaining('nobody looked for old disks on h1') },
  });
});
