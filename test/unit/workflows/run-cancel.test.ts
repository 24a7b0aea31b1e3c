/** A run that is cancelled: what is in flight, what never started, and what is taken back. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { getRun } from '../../../activities/inventory/runs.js';
import { FakeCloud } from './fake-cloud.js';
import { adopt, begin, disable, drain, isEnabled, run } from './fake-runs.js';
import { start } from './fake-runtime.js';
import { broken } from './invariants.js';

let cloud: FakeCloud;
beforeEach(async () => {
  cloud = await FakeCloud.open();
});
afterEach(() => cloud.close());

test('cancels what is in flight, starts nothing more, takes back, and tells all of it', async () => {
  const ids = await adopt(cloud, 4);
  cloud.world.hold = true;
  const { rt, id, ending } = begin(cloud, { steps: [disable(), drain({ 'max-parallel': 2 })] });
  await expect.poll(() => cloud.world.jobs.size).toBe(2);
  rt.cancel();
  expect(await ending).toMatchObject({ end: 'failed', error: { code: 'Cancelled' } });
  const record = await getRun(cloud.inventory, id);
  expect(record).toMatchObject({ state: 'cancelled', undone: ['host.enable h1: done'] });
  expect(record.steps[1]?.items.map((item) => item.state).toSorted()).toEqual([
    'cancelled',
    'cancelled',
    'not-started',
    'not-started',
  ]);
  expect(await isEnabled(cloud)).toBe(true);
  for (const each of ids) {
    expect(await cloud.instance(each)).toMatchObject({ state: 'active', host: 'h1' });
    expect(await broken(cloud, each)).toEqual([]);
  }
});

test.each([
  ['disabled before', false],
  ['enabled before', true],
])('takes back only where the undo’s condition is true: a host that was %s', async (_what, was) => {
  await adopt(cloud, 1);
  if (!was) await start(cloud, 'host.disable', { host: 'h1', reason: 'before' }).ending;
  cloud.world.hold = true;
  const { rt, id, ending } = begin(cloud, {
    steps: [disable({ if: 'steps.disable.result.was.enabled' }), drain()],
  });
  await expect.poll(() => cloud.world.jobs.size).toBe(1);
  rt.cancel();
  await ending;
  expect(await isEnabled(cloud)).toBe(was);
  expect((await getRun(cloud.inventory, id)).undone).toHaveLength(was ? 1 : 0);
});

test('within the step to take back: the record is written, though the undo’s condition can’t be told', async () => {
  const book = { steps: [disable({ if: 'steps.disable.result.was.enabled' })] };
  const [ended, record] = await run(
    cloud,
    book,
    {},
    { troubles: [{ at: 'startRun', when: 'after', cancel: true }] },
  );
  expect(ended).toMatchObject({ end: 'failed', error: { code: 'Cancelled' } });
  expect(record).toMatchObject({
    state: 'cancelled',
    undone: [expect.stringMatching(/NOT done: .*steps\.disable/)],
  });
});

test('before its first step has a record that is closed', async () => {
  const { rt, id, ending } = begin(cloud, { steps: [disable()] });
  rt.cancel();
  await ending;
  expect((await getRun(cloud.inventory, id)).state).toBe('cancelled');
});
