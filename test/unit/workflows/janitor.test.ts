import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runJanitor } from '../../../workflows/janitor.js';
import { FakeCloud } from './fake-cloud.js';
import { FakeRun, start, type Ending } from './fake-runtime.js';
import { broken } from './invariants.js';

let cloud: FakeCloud;
beforeEach(async () => {
  cloud = await FakeCloud.open();
});
afterEach(() => cloud.close());

function janitor(): { run: FakeRun; ending: Promise<Ending> } {
  const run = new FakeRun(cloud, 'fake/janitor');
  return { run, ending: run.run('janitor', () => runJanitor(run)) };
}

async function lost(name: string): Promise<string> {
  const instance = await cloud.adopt(name, { directory: '/local' });
  const troubles = [{ at: 'migrateGuest', when: 'within' as const, stop: true }];
  await start(cloud, 'instance.live-migrate', { instance }, { troubles }).ending;
  return instance;
}

test('settles every operation that no workflow runs, and leaves those that run alone', async () => {
  const ids = [await lost('web-1'), await lost('web-2')];
  // On h3: the lost ones hold the migration slots of h1 until they are settled.
  const busy = await cloud.adopt('web-3', { host: 'h3' });
  cloud.world.hold = true;
  const { run, ending } = start(cloud, 'instance.live-migrate', { instance: busy });
  await expect.poll(() => cloud.world.jobs.size).toBe(1);
  expect(await janitor().ending).toMatchObject({
    end: 'done',
    result: {
      up: 3,
      unknown: [],
      repaired: [expect.stringMatching(/^web-1: .*live-migrate/), expect.stringMatching(/^web-2: /)],
      left: [],
    },
  });
  for (const id of ids) {
    expect(await cloud.instance(id)).toMatchObject({ state: 'active', host: 'h1', needsRepair: null });
    expect(await broken(cloud, id)).toEqual([]);
  }
  expect(cloud.world.jobs.has(busy)).toBe(true);
  run.cancel();
  await ending;
});

test('names what it can’t settle while a host is silent, and settles it when the host is back', async () => {
  const instance = await lost('web-1');
  cloud.world.host('h1').answers = false;
  const first = janitor();
  expect(await first.ending).toMatchObject({
    end: 'done',
    result: { up: 2, unknown: ['h1'], repaired: [], left: [expect.stringMatching(/^web-1: .*h1/)] },
  });
  expect(first.run.shown.at(-1)?.details).toContain('these do not: h1 (silent)');
  const { state, needsRepair } = await cloud.instance(instance);
  expect({ state, repair: needsRepair !== null }).toEqual({ state: 'active', repair: true });

  cloud.world.host('h1').answers = true;
  expect(await janitor().ending).toMatchObject({
    result: { repaired: [expect.stringContaining('web-1')], left: [] },
  });
  expect(await broken(cloud, instance)).toEqual([]);
});

test('goes on with the others when somebody terminates one of its repairs', async () => {
  const one = await lost('web-1');
  const other = await lost('web-2');
  const started = vi.spyOn(cloud, 'started').mockImplementation((run) => {
    if (run.workflowId === `fake/instance/${one}`) run.stop();
  });
  const { ending } = janitor();
  expect(await ending).toMatchObject({
    result: { repaired: [expect.stringContaining('web-2')], left: [expect.stringContaining('terminated')] },
  });
  expect(await broken(cloud, other)).toEqual([]);
  started.mockRestore();
  await janitor().ending;
  expect(await broken(cloud, one)).toEqual([]);
});

test('that is cancelled ends as cancelled', async () => {
  await lost('web-1');
  const { run, ending } = janitor();
  run.cancel();
  expect(await ending).toMatchObject({ end: 'failed', error: { code: 'Cancelled' } });
});
