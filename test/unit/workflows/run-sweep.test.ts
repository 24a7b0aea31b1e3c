/** A run with all that the language has, hit at each of its calls: its record is closed and tells what is so. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listRunItems } from '../../../activities/inventory/run-items.js';
import { read } from '../../../activities/inventory/database.js';
import { getRun } from '../../../activities/inventory/runs.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { openCloud } from './cloud.js';
import { adopt, begin, disable, isEnabled, stopAll } from './runs.js';
import type { Knobs } from '../../../virtual/trouble.js';
import { broken } from '../../proof/invariants.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const book = (ids: string[]) => ({
  concurrency: { key: 'all', wait: '1m' },
  steps: [
    disable({ if: 'steps.disable.result.was.enabled' }),
    { id: 'hosts', uses: 'query.hosts', outputs: { n: '${{ size(result) }}' } },
    {
      id: 'both',
      parallel: [
        { id: 'calm', wait: '1s' },
        stopAll(ids, {
          'max-parallel': 2,
          undo: { uses: 'instance.start', with: { instance: '${{ item }}' } },
        }),
      ],
      timeout: '10m',
      'on-failure': [{ id: 'mend', uses: 'query.hosts' }],
    },
    { id: 'again', uses: 'host.enable', with: { host: 'h2' }, retry: { attempts: 3, backoff: '1s' } },
  ],
  'on-failure': [{ id: 'tell', uses: 'query.hosts' }],
  finally: [{ id: 'end', uses: 'host.enable', with: { host: 'h3' } }],
  outputs: { stopped: '${{ steps.stop.done }}' },
});

async function play(knobs: Knobs) {
  const ids = await adopt(cloud, 3);
  const run = begin(cloud, book(ids), {}, knobs);
  return { ids, run, ended: await run.ending };
}

/** startRun, takeConcurrency, listHosts, recordItems, releaseConcurrency, finishRun. */
const calls = 6;
const places = Array.from({ length: calls }, (_, index) => index + 1);

test('makes so many calls of its own', async () => {
  const { run, ended } = await play({});
  expect(ended).toEqual({ end: 'done', result: { outputs: { stopped: 3 } } });
  expect(run.rt.calls).toHaveLength(calls);
});

test('does each call twice and is the same', async () => {
  const { run, ended } = await play({ twice: true });
  expect(ended).toEqual({ end: 'done', result: { outputs: { stopped: 3 } } });
  const rows = await listRunItems(cloud.inventory, run.id, { step: 'stop' });
  expect(rows.map(({ state }) => state)).toEqual(['done', 'done', 'done']);
});

describe.each(['before', 'after'] as const)('cancelled %s call', (when) => {
  test.each(places)('%i', async (at) => {
    const { ids, run, ended } = await play({ troubles: [{ at, when, cancel: true }] });
    const record = await getRun(cloud.inventory, run.id);
    // What is done at the end can't be cancelled any more.
    const isLate = at > calls - 2;
    expect(ended.end).toBe(isLate ? 'done' : 'failed');
    expect(record.state).toBe(isLate ? 'succeeded' : 'cancelled');
    expect(run.step('end').state).toBe('succeeded');
    expect(run.step('tell').state).toBe('pending');
    expect(await isEnabled(cloud)).toBe(!isLate);
    for (const id of ids) {
      expect(await cloud.instance(id)).toMatchObject({ state: isLate ? 'stopped' : 'active' });
      expect(await broken(cloud, id)).toEqual([]);
    }
    expect(await keys()).toEqual([]);
  });
});

test.each(places)('terminated at call %i, the next run has the key, and nothing is broken', async (at) => {
  const { ids, ended } = await play({ troubles: [{ at, terminate: true }] });
  expect(ended.end).toBe('terminated');
  const next = begin(cloud, { ...book(ids), steps: [{ id: 'hosts', uses: 'query.hosts' }], outputs: {} });
  expect((await next.ending).end).toBe('done');
  for (const id of ids) expect(await broken(cloud, id)).toEqual([]);
});

const keys = () => read(cloud.inventory, (db) => db.selectFrom('run_concurrency').select('key').execute());
