/** Undoing and cleaning up when those fail as well. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getOperation } from '../../../activities/inventory/records.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import type { Trouble } from '../../../virtual/trouble.js';
import { broken } from '../../proof/invariants.js';
import { disks, migrating, mistold, no, openCloud } from './cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const after = (calls: readonly string[], step: string): string[] => calls.slice(calls.indexOf(step) + 1);

async function blockMigration(troubles: Trouble[]) {
  const instance = await cloud.adopt('web-1', { local: true });
  const { calls, id, ending } = cloud.operation(
    'instance.live-migrate',
    { instance, host: 'h2' },
    { troubles },
  );
  return { instance, calls, id, ended: await ending };
}

async function repair(instance: string) {
  const { id, ending } = cloud.operation('instance.repair', { instance });
  return { id, ended: await ending };
}

test('steps are undone newest first', async () => {
  const { calls, instance } = await blockMigration([no('migrateGuest')]);
  expect(after(calls, 'startUnwind')).toEqual([
    'undoMigrate',
    'removeDisk on h2',
    'removeProbe on h1',
    'releaseClaim',
    'getHost',
    'look',
    'finishOperation',
  ]);
  expect(await broken(cloud, instance)).toEqual([]);
});

test('the first undo that fails ends undoing: what it depends on stays, is told, and is repaired', async () => {
  const { calls, id, instance, ended } = await blockMigration([no('migrateGuest'), no('removeDisk on h2')]);
  expect(after(calls, 'removeDisk on h2')).toEqual(['getHost', 'look', 'finishOperation']);
  expect(ended).toMatchObject({ end: 'failed', error: { code: 'UnwindIncomplete' } });
  const { left, error } = await getOperation(cloud.inventory, id);
  expect(left).toEqual([
    expect.stringMatching(/half copied disk .* on h2 \(it said no\)/),
    expect.stringContaining('probe file'),
    'the claim on the target',
  ]);
  expect(error?.details).toMatchObject({ cause: { code: 'HypervisorError' } });
  expect(await cloud.instance(instance)).toMatchObject({
    state: 'active',
    host: 'h1',
    needsRepair: expect.stringContaining('half copied disk'),
  });
  expect(await broken(cloud, instance)).toEqual([]);

  const refused = await cloud.operation('instance.stop', { instance }).ending;
  expect(refused).toMatchObject({ end: 'failed', error: { code: 'NeedsRepair' } });
  expect(await repair(instance)).toMatchObject({ ended: { end: 'done' } });
  expect((await cloud.instance(instance)).needsRepair).toBeNull();
  expect(await broken(cloud, instance)).toEqual([]);
});

describe('an undo that finds its step past the point of no return', () => {
  test('commits instead: the guest keeps its new disk, the old one goes, and the operation is done', async () => {
    const { calls, id, instance, ended } = await blockMigration([no('migrateGuest', 'after')]);
    expect(ended).toMatchObject({ end: 'done', result: { note: 'done, although: it said no' } });
    expect(after(calls, 'startUnwind')).toEqual([
      'undoMigrate',
      'commit',
      'removeDisk on h1',
      'getHost',
      'look',
      'finishOperation',
    ]);
    expect(await cloud.instance(instance)).toMatchObject({ host: 'h2', state: 'active', needsRepair: null });
    expect(await disks(cloud)).toEqual([expect.stringMatching(/^local\/h2:/)]);
    expect(await broken(cloud, instance)).toEqual([]);
    expect(await mistold(cloud, id, ended)).toEqual([]);
  });

  test('says what it then could not clean up, and the repair does it', async () => {
    const { id, instance, ended } = await blockMigration([
      no('migrateGuest', 'after'),
      no('removeDisk on h1'),
    ]);
    expect(ended).toMatchObject({ end: 'failed', error: { code: 'CleanupIncomplete' } });
    expect(await mistold(cloud, id, ended)).toEqual([]);
    expect(await cloud.instance(instance)).toMatchObject({ host: 'h2', needsRepair: expect.any(String) });
    await repair(instance);
    expect(await disks(cloud)).toEqual([expect.stringMatching(/^local\/h2:/)]);
    expect(await broken(cloud, instance)).toEqual([]);
  });

  test('by a repair: none of the predecessor’s undos is carried out on the disk that is in use now', async () => {
    const { id, instance } = await blockMigration([{ at: 'migrateGuest', when: 'after', terminate: true }]);
    const { calls, ending } = cloud.operation('instance.repair', { instance });
    await ending;
    expect(calls).toContain('removeDisk on h1');
    expect(calls).not.toContain('removeDisk on h2');
    expect(await cloud.instance(instance)).toMatchObject({ host: 'h2', needsRepair: null });
    expect(await broken(cloud, instance)).toEqual([]);
    const record = await getOperation(cloud.inventory, id);
    expect(record).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('turned out to be done') },
    });
  });
});

test('a clean-up that fails after the point of no return: done, but said; the repair clears it', async () => {
  const { id, instance, ended } = await blockMigration([no('removeDisk on h1')]);
  expect(ended).toMatchObject({ end: 'failed', error: { code: 'CleanupIncomplete' } });
  expect(await mistold(cloud, id, ended)).toEqual([]);
  expect(await getOperation(cloud.inventory, id)).toMatchObject({ result: { from: 'h1', to: 'h2' } });
  expect(await cloud.instance(instance)).toMatchObject({
    state: 'active',
    host: 'h2',
    needsRepair: expect.stringContaining('old copy of the disk'),
  });
  expect(await repair(instance)).toMatchObject({ ended: { end: 'done' } });
  expect(await cloud.instance(instance)).toMatchObject({ state: 'active', host: 'h2', needsRepair: null });
  expect(await broken(cloud, instance)).toEqual([]);
});

test.each(['removeDisk on h1', 'removeGuest'])('a terminate whose %s fails goes on forward', async (step) => {
  const instance = await cloud.adopt('web-1', { local: true });
  const { calls, ending } = cloud.operation('instance.terminate', { instance }, { troubles: [no(step)] });
  expect(await ending).toMatchObject({ end: 'failed', error: { code: 'CleanupIncomplete' } });
  const { state, needsRepair } = await cloud.instance(instance);
  expect(state).toBe(step === 'removeGuest' ? 'active' : 'deleted');
  expect(needsRepair).toContain('the disk /var/lib/libvirt/images/web-1');
  // The guest goes before its disks, or they would be pulled from under it.
  expect(calls.includes('removeDisk on h1')).toBe(step !== 'removeGuest');
  expect(await broken(cloud, instance)).toEqual([]);
  expect(await repair(instance)).toMatchObject({ ended: { end: 'done' } });
  expect(await cloud.instance(instance)).toMatchObject({ state: 'deleted', needsRepair: null });
  expect(await disks(cloud)).toEqual([]);
  expect(await broken(cloud, instance)).toEqual([]);
});

test('a repair that fails again leaves what was left, and the next one clears it', async () => {
  const { instance } = await blockMigration([no('migrateGuest'), no('removeDisk on h2')]);
  const again = await cloud.operation('instance.repair', { instance }, { troubles: [no('removeDisk on h2')] })
    .ending;
  expect(again).toMatchObject({ end: 'failed', error: { code: 'CleanupIncomplete' } });
  expect((await cloud.instance(instance)).needsRepair).toContain('half copied disk');
  expect(await broken(cloud, instance)).toEqual([]);
  await repair(instance);
  expect((await cloud.instance(instance)).needsRepair).toBeNull();
});

test('a migration that nobody follows any more goes on, and who reconciles waits for it', async () => {
  const instance = await cloud.adopt('web-1', { local: true });
  const handle = cloud.operation('instance.live-migrate', { instance });
  await migrating(cloud);
  handle.terminate();
  expect(await handle.ending).toEqual({ end: 'terminated' });
  expect(await cloud.operation('instance.stop', { instance }).ending).toMatchObject({ end: 'done' });
  expect(await cloud.instance(instance)).toMatchObject({ state: 'stopped', host: 'h2', needsRepair: null });
  expect(await broken(cloud, instance)).toEqual([]);
});
