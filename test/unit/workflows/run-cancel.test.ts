/** A run that is cancelled: what is in flight, what never started, and what is taken back. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { getRun } from '../../../activities/inventory/runs.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { migrating, openCloud, slowLink } from './cloud.js';
import { adopt, begin, disable, drain, isEnabled, run as play } from './runs.js';
import { broken } from '../../proof/invariants.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

test('cancels what is in flight, starts nothing more, takes back, and tells all of it', async () => {
  const ids = await adopt(cloud, 4);
  await slowLink(cloud);
  const run = begin(cloud, { steps: [disable(), drain({ 'max-parallel': 2 })] });
  await migrating(cloud, 2);
  run.rt.cancel();
  expect(await run.ending).toMatchObject({ end: 'failed', error: { code: 'Cancelled' } });
  const record = await getRun(cloud.inventory, run.id);
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
  if (!was) await cloud.operation('host.disable', { host: 'h1', reason: 'before' }).ending;
  await slowLink(cloud);
  const run = begin(cloud, {
    steps: [disable({ if: 'steps.disable.result.was.enabled' }), drain()],
  });
  await migrating(cloud);
  run.rt.cancel();
  await run.ending;
  expect(await isEnabled(cloud)).toBe(was);
  expect((await getRun(cloud.inventory, run.id)).undone).toHaveLength(was ? 1 : 0);
});

test('within the step to take back: the record is written, though the undo’s condition can’t be told', async () => {
  const book = { steps: [disable({ if: 'steps.disable.result.was.enabled' })] };
  const [ended, record] = await play(
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
  const run = begin(cloud, { steps: [disable()] });
  run.rt.cancel();
  await run.ending;
  expect((await getRun(cloud.inventory, run.id)).state).toBe('cancelled');
});
