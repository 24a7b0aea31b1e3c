/** Trying runs again, by the client and on a real Temporal. */
import { expect, test } from 'vitest';
import { listRunItems } from '../../activities/inventory/run-items.js';
import { decide } from '../../client/run-asks.js';
import { prepareRetry } from '../../client/run-retry.js';
import { viewRun } from '../../client/run-view.js';
import { startRun } from '../../client/runs.js';
import { fault } from '../unit/workflows/cloud.js';
import {
  codeOf,
  did,
  disable,
  ending,
  exitOf,
  gate,
  isEnabled,
  openStage,
  person,
  start,
  stop,
  waiting,
} from './run-stage.js';

const stage = openStage();

test('a retry works on what failed alone, with the plan of then; the next one on what that left', async () => {
  const { cloud } = stage();
  const on = (host: string) => cloud.adopt(`web-${host}`, { host });
  const ids = [await on('h1'), await on('h2'), await on('h3')];
  const [first = '', second = '', third = ''] = ids;
  for (const host of ['h2', 'h3'])
    await fault(cloud, { do: 'fail', call: 'stamp', host, nth: 1, times: 100, message: 'no' });
  const mend = (host: string) => fault(cloud, { do: 'restore', hosts: [host] });
  const tell = {
    id: 'tell',
    uses: 'host.enable',
    with: { host: 'h1' },
    if: 'steps.disable.result.was.enabled',
  };
  const id = await start(stage(), [disable, stop(ids, { 'max-failures': 2 }), tell]);
  const { view, lines } = await ending(stage(), id);
  expect(exitOf(view)).toBe('RunFailed');
  expect(lines.filter((line) => line.startsWith('  '))).toHaveLength(
    new Set(lines.filter((line) => line.startsWith('  '))).size,
  );
  expect(await listRunItems(stage().cloud.inventory, id, { step: 'stop', state: 'failed' })).toHaveLength(2);
  const again = async (run: string) => {
    const prepared = await prepareRetry(person(stage(), 'bob'), run);
    const started = await startRun(person(stage(), 'bob'), prepared, { retry: prepared.retry });
    const ended = await ending(stage(), started.id);
    const rows = await listRunItems(cloud.inventory, started.id, { step: 'stop' });
    return { prepared, id: started.id, reached: rows.map(({ key }) => key), ...ended };
  };
  await mend('h2');
  const one = await again(id);
  expect(one.prepared.steps).toMatchObject([
    { does: 'kept' },
    { does: 'items', items: [{ state: 'failed' }, { state: 'failed' }] },
    { does: 'all' },
  ]);
  expect(new Set(one.reached)).toEqual(new Set([second, third]));
  expect(one.view).toMatchObject({ state: 'failed', retryOf: id, by: 'bob' });
  expect(await viewRun(person(stage(), 'ann'), id)).toMatchObject({
    retriedBy: { id: one.id, state: 'failed' },
  });
  expect(await did(stage(), id)).toEqual(['ann start - -', 'bob retry - -']);
  expect(await codeOf(prepareRetry(person(stage(), 'ann'), id))).toMatch(
    /^WrongState: run .* is tried again already, by run .* \(failed\)/,
  );
  await mend('h3');
  const two = await again(one.id);
  expect(two.reached).toEqual([third]);
  expect(two.view.state).toBe('succeeded');
  // The condition of the last step speaks of what the very first run's first step answered.
  expect(await isEnabled(stage())).toBe(true);
  expect(await codeOf(prepareRetry(person(stage(), 'ann'), two.id))).toMatch(/^WrongState: run .* succeeded/);
  expect((await stage().cloud.instance(first)).state).toBe('stopped');
});

test('of two who try again at the same moment one is told of the other', async () => {
  const id = await start(stage(), [gate]);
  await waiting(stage(), id);
  expect(await codeOf(prepareRetry(person(stage(), 'ann'), id))).toMatch(/^WrongState: run .* has not ended/);
  await decide(person(stage(), 'bob'), id, { action: 'reject', step: null, comment: null });
  await ending(stage(), id);
  const prepared = await prepareRetry(person(stage(), 'ann'), id);
  const both = ['ann', 'bob'].map((name) =>
    codeOf(startRun(person(stage(), name), prepared, { retry: prepared.retry })),
  );
  const told = (await Promise.all(both)).toSorted();
  expect(told[1]).toBe('done');
  expect(told[0]).toMatch(/^WrongState: run .* is tried again already, by run .* \(running\)/);
});
