import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Runtime } from '../../../workflows/runtime.js';
import { FakeCloud } from './fake-cloud.js';
import { FakeRun } from './fake-runtime.js';

let cloud: FakeCloud;
beforeEach(async () => {
  cloud = await FakeCloud.open();
});
afterEach(() => cloud.close());

const go = async (work: (rt: Runtime) => Promise<unknown>) => {
  const rt = new FakeRun(cloud, 'fake/run/1');
  return [await rt.run('test', () => work(rt)), rt.now() - Date.now()];
};

test('an hour passes at once', async () => {
  const [ended, jumped] = await go((rt) => rt.sleep(3_600_000, 'an hour'));
  expect(ended).toMatchObject({ end: 'done' });
  expect(jumped).toBeGreaterThan(3_500_000);
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
  const [ended] = await go(async (rt) => {
    let up = false;
    const wait = rt.until(() => up, 60_000);
    await rt.sleep(10, 'a little');
    up = true;
    return [await wait, await rt.until(() => false, 60_000)];
  });
  expect(ended).toEqual({ end: 'done', result: [true, false] });
});
