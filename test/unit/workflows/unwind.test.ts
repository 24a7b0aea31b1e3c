/** Undoing and cleaning up when those fail as well. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getOperation } from '../../../activities/inventory/records.js';
import { DroverError } from '../../../model/errors.js';
import { cases } from './cases.js';
import { FakeCloud } from './fake-cloud.js';
import { start, type Trouble } from './fake-runtime.js';
import { broken, mistold } from './invariants.js';

let cloud: FakeCloud;
beforeEach(async () => {
  cloud = await FakeCloud.open();
});
afterEach(() => cloud.close());

const no = (at: number | string, when: 'within' | 'after' = 'within'): Trouble => ({
  at,
  when,
  fail: { error: new DroverError('HypervisorError', 'it said no') },
});
const after = (log: string[], step: string): string[] => log.slice(log.indexOf(step) + 1);

async function blockMigration(troubles: Trouble[]) {
  const instance = await cloud.adopt('web-1', { directory: '/local' });
  const { run, id, ending } = start(cloud, 'instance.live-migrate', { instance }, { troubles });
  return { instance, run, id, ended: await ending };
}

async function repair(instance: string) {
  const { id, ending } = start(cloud, 'instance.repair', { instance });
  return { id, ended: await ending };
}

test('steps are undone newest first', async () => {
  const { run, instance } = await blockMigration([no('migrateGuest')]);
  expect(after(run.log, 'startUnwind')).toEqual([
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
  const { run, id, instance, ended } = await blockMigration([no('migrateGuest'), no('removeDisk on h2')]);
  expect(after(run.log, 'removeDisk on h2')).toEqual(['getHost', 'look', 'finishOperation']);
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

  const refused = await start(cloud, 'instance.stop', { instance }).ending;
  expect(refused).toMatchObject({ end: 'failed', error: { code: 'NeedsRepair' } });
  expect(await repair(instance)).toMatchObject({ ended: { end: 'done' } });
  expect((await cloud.instance(instance)).needsRepair).toBeNull();
  expect(await broken(cloud, instance)).toEqual([]);
});

describe('an undo that finds its step past the point of no return', () => {
  test('commits instead: the guest keeps its new disk, the old one goes, and the operation is done', async () => {
    const { run, id, instance, ended } = await blockMigration([no('migrateGuest', 'after')]);
    expect(ended).toMatchObject({ end: 'done', result: { note: 'done, although: it said no' } });
    expect(after(run.log, 'startUnwind')).toEqual([
      'undoMigrate',
      'commit',
      'removeDisk on h1',
      'getHost',
      'look',
      'finishOperation',
    ]);
    expect(await cloud.instance(instance)).toMatchObject({ host: 'h2', state: 'active', needsRepair: null });
    expect(cloud.world.disks.map((disk) => disk.host)).toEqual(['h2']);
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
    expect(cloud.world.disks.map((disk) => disk.host)).toEqual(['h2']);
    expect(await broken(cloud, instance)).toEqual([]);
  });

  test('by a repair: none of the predecessor’s undos is carried out on the disk that is in use now', async () => {
    const { id, instance } = await blockMigration([{ at: 'migrateGuest', when: 'after', stop: true }]);
    const { run, ending } = start(cloud, 'instance.repair', { instance });
    await ending;
    expect(run.log).toContain('removeDisk on h1');
    expect(run.log).not.toContain('removeDisk on h2');
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
  const instance = await cloud.adopt('web-1', { directory: '/local' });
  const { run, ending } = start(cloud, 'instance.terminate', { instance }, { troubles: [no(step)] });
  expect(await ending).toMatchObject({ end: 'failed', error: { code: 'CleanupIncomplete' } });
  const { state, needsRepair } = await cloud.instance(instance);
  expect(state).toBe(step === 'removeGuest' ? 'active' : 'deleted');
  expect(needsRepair).toContain('the disk /local');
  // The guest goes before its disks, or they would be pulled from under it.
  expect(run.log.includes('removeDisk on h1')).toBe(step !== 'removeGuest');
  expect(await broken(cloud, instance)).toEqual([]);
  expect(await repair(instance)).toMatchObject({ ended: { end: 'done' } });
  expect(await cloud.instance(instance)).toMatchObject({ state: 'deleted', needsRepair: null });
  expect(cloud.world.disks).toEqual([]);
  expect(await broken(cloud, instance)).toEqual([]);
});

test('a repair that fails again leaves what was left, and the next one clears it', async () => {
  const { instance } = await blockMigration([no('migrateGuest'), no('removeDisk on h2')]);
  const again = await start(cloud, 'instance.repair', { instance }, { troubles: [no('removeDisk on h2')] })
    .ending;
  expect(again.end).toBe('done');
  expect((await cloud.instance(instance)).needsRepair).toContain('half copied disk');
  expect(await broken(cloud, instance)).toEqual([]);
  await repair(instance);
  expect((await cloud.instance(instance)).needsRepair).toBeNull();
});

test('a migration that nobody follows any more goes on, and who reconciles waits for it', async () => {
  const instance = await cloud.adopt('web-1', { directory: '/local' });
  cloud.world.hold = true;
  const { run, ending } = start(cloud, 'instance.live-migrate', { instance });
  await expect.poll(() => cloud.world.jobs.size).toBe(1);
  run.stop();
  expect(await ending).toEqual({ end: 'stopped' });
  expect(await start(cloud, 'instance.stop', { instance }).ending).toMatchObject({ end: 'done' });
  expect(await cloud.instance(instance)).toMatchObject({ state: 'stopped', host: 'h2', needsRepair: null });
  expect(await broken(cloud, instance)).toEqual([]);
});

const twoFaults = [
  'instance.launch',
  'instance.live-migrate',
  'instance.pause',
  'instance.unpause',
  'instance.terminate',
];
const undos = [
  'removeGuest',
  'removeDisk on h1',
  'removeDisk on h2',
  'releaseClaim',
  'undoMigrate',
  'pauseGuest',
  'unpauseGuest',
];

describe.each(twoFaults.flatMap((key) => (cases[key] ?? []).map((one) => ({ key, one, title: one.title }))))(
  '$key, $title',
  ({ key, one }) => {
    test.each(undos)(
      'a step fails, and so does %s: it needs repair exactly when something is left',
      async (undo) => {
        let steps = Number.POSITIVE_INFINITY;
        for (let at = 1; at <= steps; at += 1) {
          await cloud.close();
          cloud = await FakeCloud.open();
          const input = await one.setUp(cloud);
          const { run, id, ending } = start(cloud, key, input, { troubles: [no(at, 'after'), no(undo)] });
          const ended = await ending;
          steps = run.log.length;
          const instance = String(input['instance']);
          const where = `call ${at}: ${run.log[at - 1]}`;
          const { operation, needsRepair } = await cloud.instance(instance);
          if (operation === null) {
            const { left, state } = await getOperation(cloud.inventory, id);
            if (state !== 'refused') expect(needsRepair !== null, where).toBe(left.length > 0);
            expect(await broken(cloud, instance, one), where).toEqual([]);
            expect(await mistold(cloud, id, ended), where).toEqual([]);
          }
          await repair(instance);
          expect((await cloud.instance(instance)).needsRepair, where).toBeNull();
          expect(await broken(cloud, instance, one), where).toEqual([]);
        }
      },
    );
  },
);
