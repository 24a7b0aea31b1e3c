/** Items and actions of runs as rows, and the keys that one run at a time has. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { read } from '../../../activities/inventory/database.js';
import { listRunActions } from '../../../activities/inventory/run-actions.js';
import { listRunItems } from '../../../activities/inventory/run-items.js';
import { getRun, listRuns } from '../../../activities/inventory/runs.js';
import { pendingStep, type RunItemRecord } from '../../../model/run.js';
import { callOf } from '../../call.js';
import { failure, makeWorld, type World } from './world.js';

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(() => world.close());

const none = callOf(null);
const item = (key: string, state: RunItemRecord['state'] = 'done'): RunItemRecord => ({
  key,
  label: `web-${key}`,
  state,
  error: state === 'failed' ? { code: 'MigrationFailed', message: 'no', details: {}, hint: '' } : null,
  result: state === 'done' ? { key } : null,
});
const start = (id: string, more: Record<string, unknown> = {}) =>
  world.act.startRun(
    { id, runbook: 'drain', digest: 'd', source: 's', inputs: {}, by: 'anna', ...more },
    none,
  );
const record = (items: RunItemRecord[], attempt = 1) =>
  world.act.recordItems({ run: 'r1', step: 'move', attempt, items }, none);
const shown = async (by?: Parameters<typeof listRunItems>[2]) =>
  (await listRunItems(world.inventory, 'r1', by)).map(
    ({ key, state, attempt }) => `${key} ${state} ${attempt}`,
  );

describe('items', () => {
  test('are listed as they ended, by step and state', async () => {
    await record([item('b'), item('a', 'failed')]);
    await world.act.recordItems({ run: 'r1', step: 'other', attempt: 1, items: [item('c')] }, none);
    expect(await shown()).toEqual(['a failed 1', 'b done 1', 'c done 1']);
    expect(await shown({ step: 'move', state: 'failed' })).toEqual(['a failed 1']);
    expect(await shown({ limit: 1 })).toEqual(['a failed 1']);
    const [row] = await listRunItems(world.inventory, 'r1', { state: 'failed' });
    expect(row).toMatchObject({ label: 'web-a', error: { code: 'MigrationFailed' }, result: null });
  });

  test('take the place of an earlier attempt, never of a later one; a repeated call changes nothing', async () => {
    await record([item('a', 'failed')]);
    await record([item('a')], 2);
    await record([item('a')], 2);
    await record([item('a', 'cancelled'), item('b', 'cancelled')], 0);
    expect(await shown()).toEqual(['a done 2', 'b cancelled 0']);
  });

  test('may be many at once', async () => {
    await record(Array.from({ length: 2000 }, (_, index) => item(String(index))));
    expect(await shown()).toHaveLength(2000);
  });

  test('that only the record holds are rows once it is closed; others stay as they were', async () => {
    await start('r1');
    await record([item('a')], 3);
    const steps = [
      { ...pendingStep('move', 'move'), items: [item('a', 'failed')] },
      { ...pendingStep('one', 'one'), attempt: 2, items: [item('one')] },
    ];
    const end = { id: 'r1', state: 'succeeded', steps, undone: [], outputs: {}, error: null } as const;
    await world.act.finishRun({ ...end, steps: [...steps], undone: [] }, none);
    await world.act.finishRun({ ...end, steps: [...steps], undone: [], state: 'failed' }, none);
    expect(await shown()).toEqual(['a done 3', 'one done 2']);
    expect((await getRun(world.inventory, 'r1')).state).toBe('succeeded');
  });
});

describe('actions', () => {
  test('begin with the start; each is written once', async () => {
    await start('r1');
    await start('r1');
    const pause = {
      id: 'x',
      run: 'r1',
      by: 'ben',
      action: 'pause',
      step: null,
      comment: 'lunch',
      details: {},
    } as const;
    await world.act.recordRunAction(pause, none);
    await world.act.recordRunAction({ ...pause, comment: 'again' }, none);
    expect(await listRunActions(world.inventory, 'r1')).toMatchObject([
      { action: 'start', by: 'anna', details: {} },
      { action: 'pause', by: 'ben', comment: 'lunch' },
    ]);
  });

  test('tell of the run that tries another again in both', async () => {
    await start('r1');
    await start('r2', { retryOf: 'r1', by: 'ben' });
    expect(await listRunActions(world.inventory, 'r1')).toMatchObject([
      { action: 'start' },
      { action: 'retry', by: 'ben', details: { run: 'r2' } },
    ]);
    expect(await listRunActions(world.inventory, 'r2')).toMatchObject([
      { action: 'start', details: { retryOf: 'r1' } },
    ]);
    expect(await listRuns(world.inventory, { retryOf: 'r1' })).toMatchObject([{ id: 'r2', retryOf: 'r1' }]);
  });

  test('of a run within a run name its place', async () => {
    const parent = { run: 'r1', step: 'move' };
    await start('r1');
    await start('r2', { parent });
    expect(await getRun(world.inventory, 'r2')).toMatchObject({ parent, retryOf: null });
    expect(await listRuns(world.inventory, { parent: 'r1' })).toMatchObject([{ id: 'r2' }]);
  });
});

describe('a concurrency key', () => {
  const take = (run: string, seconds = 0, call = none) => {
    world.temporal.start(`lab/run/${run}`);
    return world.act.takeConcurrency({ key: 'k', run, seconds }, call);
  };
  const holder = () =>
    read(world.inventory, (db) => db.selectFrom('run_concurrency').select('run').execute());

  test('is had by one run, also when it asks again; given back, the next has it', async () => {
    expect(await take('r1')).toEqual({ taken: true, holder: null });
    expect(await take('r1')).toEqual({ taken: true, holder: null });
    expect(await take('r2')).toEqual({ taken: false, holder: 'r1' });
    await world.act.releaseConcurrency({ run: 'r2' }, none);
    expect(await take('r2')).toEqual({ taken: false, holder: 'r1' });
    await world.act.releaseConcurrency({ run: 'r1' }, none);
    expect(await take('r2')).toEqual({ taken: true, holder: null });
  });

  test('is taken from a run whose workflow is closed', async () => {
    await take('r1');
    world.temporal.end('lab/run/r1');
    expect(await take('r2')).toEqual({ taken: true, holder: null });
    expect(await holder()).toEqual([{ run: 'r2' }]);
  });

  test('is waited for, heartbeating; the wait ends on a cancel', async () => {
    await take('r1');
    const beats: unknown[] = [];
    const canceller = new AbortController();
    const call = {
      ...callOf(null, canceller.signal),
      heartbeat: (details: Record<string, unknown>) => void beats.push(details),
    };
    const waiting = take('r2', 60, call);
    await expect.poll(() => beats.length).toBeGreaterThan(1);
    await world.act.releaseConcurrency({ run: 'r1' }, none);
    expect(await waiting).toMatchObject({ taken: true });
    const cancelled = take('r3', 60, { ...call, cancelRequested: () => true });
    await expect.poll(() => beats.length).toBeGreaterThan(3);
    canceller.abort();
    expect((await failure(cancelled)).code).toBe('Cancelled');
    expect(await holder()).toEqual([{ run: 'r2' }]);
  });

  test('goes to those who wait in the order in which they came, and to nobody who comes later', async () => {
    await take('r1');
    const taken: string[] = [];
    const waits = async (run: string) => {
      const beats: unknown[] = [];
      const call = {
        ...callOf(null),
        heartbeat: (details: Record<string, unknown>) => void beats.push(details),
      };
      const waiting = take(run, 60, call).then(() => void taken.push(run));
      await expect.poll(() => beats.length).toBe(1);
      return waiting;
    };
    const [second, third] = [waits('r2'), waits('r3')];
    await expect.poll(holder).toHaveLength(3);
    world.temporal.end('lab/run/r1');
    expect(await take('r4')).toEqual({ taken: false, holder: 'r2' });
    await second;
    expect(taken).toEqual(['r2']);
    await world.act.releaseConcurrency({ run: 'r2' }, none);
    await third;
    expect(taken).toEqual(['r2', 'r3']);
    expect(await holder()).toEqual([{ run: 'r3' }]);
  });

  test('of a run is that of the runs within it, which do not give it back', async () => {
    await start('r1');
    await start('r2', { parent: { run: 'r1', step: 'a' } });
    await start('r3', { parent: { run: 'r2', step: 'b' } });
    await take('r1');
    expect(await take('r3')).toMatchObject({ taken: true });
    await world.act.releaseConcurrency({ run: 'r3' }, none);
    expect(await holder()).toEqual([{ run: 'r1' }]);
  });
});
