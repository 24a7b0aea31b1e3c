/** What the virtual runtime has of Temporal: lost workers, cancels by heartbeat, scopes, timers. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { VirtualRun } from '../../../virtual/run.js';
import type { Runtime } from '../../../workflows/runtime.js';
import { broken } from '../../proof/invariants.js';
import { openCloud } from '../workflows/cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const elapsed = () => (cloud.clock.now() - cloud.clock.start) / 1000;

async function go(work: (rt: Runtime) => Promise<unknown>): Promise<unknown> {
  const run = new VirtualRun(cloud.temporal, 'test', 'virtual/test', null);
  run.begin(() => work(run));
  return cloud.clock.drive(run.ended);
}

test('an hour passes at once', async () => {
  await go((rt) => rt.sleep(3_600_000, 'an hour'));
  expect(elapsed()).toBe(3600);
});

test('a scope is cancelled apart, and not what is shielded in it', async () => {
  const said: string[] = [];
  await go(async (rt) => {
    const { result, cancel } = rt.scope(async () => {
      await rt.shielded(async () => {
        await rt.sleep(1000, 'shielded');
        said.push(`shielded ended, cancelled: ${rt.cancelled()}`);
      });
      said.push(`scope cancelled: ${rt.cancelled()}`);
      await rt.activity('listHosts', {});
    });
    await rt.sleep(500, 'half a second');
    cancel();
    await result.catch((error: unknown) => said.push(String(error)));
    said.push(`run cancelled: ${rt.cancelled()}`);
  });
  expect(said).toEqual([
    'shielded ended, cancelled: false',
    'scope cancelled: true',
    'DroverError: listHosts was cancelled',
    'run cancelled: false',
  ]);
});

test('until is asked after what happens, and gives up in time', async () => {
  const ended = await go(async (rt) => {
    let up = false;
    const wait = rt.until(() => up, 60_000);
    await rt.sleep(10, 'a little');
    up = true;
    return [await wait, await rt.until(() => false, 60_000)];
  });
  expect(ended).toEqual({ end: 'done', result: [true, false] });
});

test('what waits for ever is told', async () => {
  const { ending } = { ending: go((rt) => rt.until(() => false, null)) };
  await expect(ending).rejects.toThrow(/nothing is left that could go on/);
});

test('the worker is killed while a guest moves: the next one finds the migration, and follows it', async () => {
  const instance = await cloud.adopt('db-1', { local: true });
  const handle = cloud.operation('instance.live-migrate', { instance });
  await cloud.clock.advance(2_000);
  cloud.crashWorker();
  expect(await handle.ending).toMatchObject({ end: 'done', result: { storage: 'block' } });
  expect(cloud.log.text(['fault'])).toMatchInlineSnapshot(`
    "   1    +12.0s instance.live-migrate db-1: fault migrateGuest failed: TimedOut: migrateGuest did not end in time (HEARTBEAT); again in 0.2 s
    "
  `);
  expect(await broken(cloud, instance)).toEqual([]);
});

test('a deploy aborts nothing: the next worker goes on', async () => {
  const instance = await cloud.adopt('db-1', { local: true });
  const handle = cloud.operation('instance.live-migrate', { instance });
  await cloud.clock.advance(2_000);
  cloud.temporal.redeploy(null);
  expect(await handle.ending).toMatchObject({ end: 'done', result: { storage: 'block' } });
  expect(await broken(cloud, instance)).toEqual([]);
});

test('a cancel reaches the migration with a heartbeat, and takes it back', async () => {
  const instance = await cloud.adopt('db-1', { local: true });
  const handle = cloud.operation('instance.live-migrate', { instance });
  await cloud.clock.advance(2_000);
  handle.cancel();
  expect(await handle.ending).toMatchObject({ end: 'failed', error: { code: 'Cancelled' } });
  expect(await cloud.instance(instance)).toMatchObject({ state: 'active', host: 'h1' });
  expect(await broken(cloud, instance)).toEqual([]);
});

test('an answer that is lost: the step is done once more, and finds it done', async () => {
  const instance = await cloud.adopt('web-1');
  const troubles = [{ at: 'stopGuest', lose: true }];
  const { ending } = cloud.operation('instance.stop', { instance }, { troubles });
  expect(await ending).toMatchObject({ end: 'done' });
  // 2 s to go down, 10 s without a heartbeat, 0.2 s until the next attempt.
  expect(elapsed()).toBeCloseTo(12.2, 1);
  expect(await broken(cloud, instance)).toEqual([]);
});

test('the janitor settles what was terminated, by itself', async () => {
  const instance = await cloud.adopt('web-1', { local: true });
  const handle = cloud.operation('instance.live-migrate', { instance });
  await cloud.clock.advance(1_000);
  handle.terminate();
  const stop = cloud.scheduleJanitor();
  await cloud.clock.advance(60_000);
  await cloud.settle();
  stop();
  expect(await cloud.instance(instance)).toMatchObject({ operation: null, needsRepair: null });
  expect(await broken(cloud, instance)).toEqual([]);
});
