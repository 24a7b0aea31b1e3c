/** What a step may say: attempts, time limits, failures, parallel steps, waits, queries, outputs. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listRunItems } from '../../../activities/inventory/run-items.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { migrations, openCloud, slowLink } from './cloud.js';
import {
  adopt,
  begin,
  disable,
  drain,
  flaky,
  inMinutes,
  isEnabled,
  mostAtOnce,
  run,
  stopAll,
} from './runs.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const enable = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  uses: 'host.enable',
  with: { host: 'h1' },
  ...more,
});
const broken = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  uses: 'host.enable',
  with: { host: 'h9' },
  ...more,
});
const stop = (id: string, more: Record<string, unknown> = {}) => ({
  id: 'stop',
  uses: 'instance.stop',
  with: { instance: id },
  ...more,
});
const states = (steps: { id: string; state: string }[]) =>
  Object.fromEntries(steps.map(({ id, state }) => [id, state]));

describe('retry', () => {
  test('tries again with longer and longer waits, and no longer than the longest', async () => {
    const tries = flaky(cloud, 4);
    const retry = { attempts: 5, backoff: '10s', factor: 3, 'max-backoff': '60s' };
    const [ended, record] = await run(cloud, { steps: [enable('open', { retry })] });
    expect(ended.end).toBe('done');
    expect(record.steps[0]).toMatchObject({ state: 'succeeded', attempt: 5, done: 1, failed: 0 });
    expect(waits(tries)).toEqual([10, 30, 60, 60]);
  });

  test('gives up after the last attempt with what it failed with', async () => {
    const tries = flaky(cloud, 9, 'MigrationFailed');
    const [ended, record] = await run(cloud, { steps: [enable('open', { retry: { attempts: 3 } })] });
    expect(ended).toMatchObject({ end: 'failed', error: { code: 'RunFailed' } });
    expect(record.steps[0]).toMatchObject({ attempt: 3, failed: 1, error: { code: 'MigrationFailed' } });
    expect(waits(tries)).toEqual([10, 20]);
  });

  test.each([
    ['what is not among those named', 'MigrationFailed', ['DiskError'], 1],
    ['what is named', 'InstanceLocked', ['InstanceLocked'], 3],
    ['a lock', 'InstanceLocked', undefined, 1],
    ['wrong input', 'NotFound', undefined, 1],
    ['a host that no instance fits on', 'NoValidHost', undefined, 3],
  ] as const)('%s', async (_what, code, on, expected) => {
    const tries = flaky(cloud, 9, code);
    await run(cloud, { steps: [enable('open', { retry: { attempts: 3, ...(on ? { on } : {}) } })] });
    expect(tries).toHaveLength(expected);
  });

  test('is of each item by itself; its row tells the attempt', async () => {
    const tries = flaky(cloud, 1);
    const step = { ...enable('open'), 'for-each': ['h1', 'h2'], with: { host: '${{ item }}' } };
    const again = begin(cloud, { steps: [{ ...step, retry: { attempts: 2 } }] });
    expect((await again.ending).end).toBe('done');
    expect(tries).toHaveLength(3);
    const rows = await listRunItems(cloud.inventory, again.id);
    expect(rows.map(({ key, attempt, state }) => `${key} ${attempt} ${state}`).toSorted()).toEqual([
      'h1 2 done',
      'h2 1 done',
    ]);
  });

  test('is not waited for when the run is cancelled; the item failed by what it failed', async () => {
    const tries = flaky(cloud, 9, 'MigrationFailed', (number) => {
      if (number === 2) inMinutes(cloud, 90, () => run1.rt.cancel());
    });
    const retry = { attempts: 20, backoff: '1h', 'max-backoff': '9h' };
    const run1 = begin(cloud, { steps: [enable('open', { retry })] });
    expect(await run1.ending).toMatchObject({ error: { code: 'Cancelled' } });
    expect(tries).toHaveLength(2);
    expect(run1.step('open')).toMatchObject({
      state: 'cancelled',
      items: [{ state: 'failed', error: { code: 'MigrationFailed' } }],
    });
  });
});

const waits = (times: number[]) =>
  times.slice(1).map((time, index) => Math.floor((time - (times[index] ?? 0)) / 1000));

describe('timeout', () => {
  test('cancels what the step has running, and tells what that was; what comes after goes on', async () => {
    const [id = ''] = await adopt(cloud, 1);
    await slowLink(cloud);
    const late = begin(cloud, {
      steps: [{ ...drain({ timeout: '10m', 'continue-on-error': true }) }, enable('after')],
    });
    expect(await late.ending).toMatchObject({ end: 'done' });
    expect(late.step('move')).toMatchObject({
      state: 'failed',
      error: { code: 'TimedOut', message: 'move did not end within 10m; still running: web-1' },
      items: [{ state: 'cancelled' }],
    });
    expect(late.step('after').state).toBe('succeeded');
    expect(late.rt.cancelled()).toBe(false);
    expect(await cloud.instance(id)).toMatchObject({ state: 'active', host: 'h1' });
    expect(await migrations(cloud)).toBe(0);
  });

  test('is over within the waits of attempts as well', async () => {
    flaky(cloud, 9, 'MigrationFailed');
    const retry = { attempts: 20, backoff: '1m', factor: 1 };
    const [ended, record] = await run(cloud, { steps: [enable('open', { retry, timeout: '150s' })] });
    expect(ended).toMatchObject({ end: 'failed', error: { code: 'TimedOut' } });
    expect(record.steps[0]?.attempt).toBe(3);
  });

  test('ends the steps of a group', async () => {
    const group = { id: 'both', parallel: [{ id: 'long', wait: '1h' }, enable('short')], timeout: '1m' };
    const [ended, record] = await run(cloud, { steps: [group] });
    expect(ended).toMatchObject({ error: { message: 'both did not end within 1m; still running: long' } });
    expect(states(record.steps)).toEqual({ both: 'failed', long: 'cancelled', short: 'succeeded' });
  });

  test('stands while the run is paused', async () => {
    flaky(cloud, 0, 'Internal', async (number) => {
      if (number > 1) return;
      await run1.ask({ action: 'pause' });
      inMinutes(cloud, 30, () => run1.ask({ action: 'resume' }));
    });
    const step = { ...enable('open'), 'for-each': ['h1', 'h2'], with: { host: '${{ item }}' } };
    const before = cloud.clock.now();
    const run1 = begin(cloud, { steps: [{ ...step, timeout: '10m' }] });
    expect((await run1.ending).end).toBe('done');
    expect(cloud.clock.now() - before).toBeGreaterThanOrEqual(30 * 60_000);
  });
});

describe('a failure', () => {
  test('has its own steps, which see it; then that of the run has its; then what is always done', async () => {
    const seen = (id: string) => ({ ...enable(id), name: '${{ error.code }}' });
    const [ended, record] = await run(cloud, {
      steps: [broken('open', { 'on-failure': [seen('mend')] }), enable('never')],
      'on-failure': [seen('tell')],
      finally: [enable('close', { if: "steps.open.state == 'failed' && steps.never.state == 'pending'" })],
    });
    expect(ended).toMatchObject({ end: 'failed', error: { code: 'RunFailed' } });
    expect(states(record.steps)).toEqual({
      open: 'failed',
      mend: 'succeeded',
      never: 'pending',
      tell: 'succeeded',
      close: 'succeeded',
    });
    expect(record.steps.filter(({ id }) => ['mend', 'tell'].includes(id)).map(({ name }) => name)).toEqual([
      'NotFound',
      'NotFound',
    ]);
  });

  test('within what is done about a failure changes nothing of it', async () => {
    const [ended, record] = await run(cloud, {
      steps: [broken('open', { 'on-failure': [{ ...broken('mend'), with: { host: 'h8' } }, enable('not')] })],
      'on-failure': [broken('tell')],
    });
    expect(ended).toMatchObject({ error: { message: expect.stringContaining('h9') } });
    expect(states(record.steps)).toEqual({ open: 'failed', mend: 'failed', not: 'pending', tell: 'failed' });
  });

  test('of what is always done fails the run; the first failure stands', async () => {
    const [alone] = await run(cloud, { steps: [enable('open')], finally: [broken('close')] });
    expect(alone).toMatchObject({ end: 'failed', error: { message: expect.stringContaining('h9') } });
    const first = { ...broken('open'), with: { host: 'h7' } };
    const [both] = await run(cloud, { steps: [first], finally: [broken('close')] });
    expect(both).toMatchObject({ error: { message: expect.stringContaining('h7') } });
  });

  test('may be gone past: the step is told as failed, the run goes on', async () => {
    const [ended, record] = await run(cloud, {
      steps: [
        broken('open', { 'continue-on-error': true, outputs: { was: '${{ result.was }}' } }),
        enable('after', { if: "steps.open.state == 'failed' && steps.open.error.code == 'NotFound'" }),
      ],
      outputs: { was: '${{ steps.open.outputs.was }}' },
    });
    expect(ended).toEqual({ end: 'done', result: { outputs: { was: null } } });
    expect(states(record.steps)).toEqual({ open: 'failed', after: 'succeeded' });
  });
});

describe('parallel', () => {
  test('runs at the same time and waits for all, also when one fails', async () => {
    const [id = ''] = await adopt(cloud, 1);
    const [ended, record] = await run(cloud, {
      steps: [{ id: 'both', parallel: [broken('bad'), stop(id)] }, enable('never')],
    });
    expect(ended).toMatchObject({
      error: { code: 'RunFailed', message: expect.stringMatching(/^bad: .*h9/) },
    });
    expect(states(record.steps)).toEqual({
      both: 'failed',
      bad: 'failed',
      stop: 'succeeded',
      never: 'pending',
    });
    expect(record.steps[0]).toMatchObject({ done: 1, failed: 1, total: 2 });
  });

  test('has for-each in it, each with its own limit', async () => {
    const ids = await adopt(cloud, 6);
    const half = (id: string, some: string[]) => ({ ...stopAll(some, { 'max-parallel': 2 }), id });
    const [ended] = await run(cloud, {
      steps: [{ id: 'both', parallel: [half('a', ids.slice(0, 3)), half('b', ids.slice(3))] }],
    });
    expect(ended.end).toBe('done');
    expect(mostAtOnce(cloud)).toBeGreaterThan(2);
    expect(mostAtOnce(cloud)).toBeLessThanOrEqual(4);
  });
});

describe('a step that', () => {
  test('waits takes its time', async () => {
    const before = cloud.clock.now();
    expect((await run(cloud, { steps: [{ id: 'calm', wait: '90s' }] }))[0].end).toBe('done');
    expect(Math.floor((cloud.clock.now() - before) / 1000)).toBe(90);
  });

  test('asks a query has its list as the result', async () => {
    await run(cloud, { steps: [disable()] });
    const [ended] = await run(cloud, {
      steps: [
        { id: 'hosts', uses: 'query.hosts', with: { enabled: false }, outputs: { n: '${{ size(result) }}' } },
      ],
      outputs: { first: '${{ steps.hosts.result[0].name }}', n: '${{ steps.hosts.outputs.n }}' },
    });
    expect(ended).toMatchObject({ result: { outputs: { first: 'h1', n: 1 } } });
  });

  test('asks until it is so asks again and again, later and later', async () => {
    await run(cloud, { steps: [disable()] });
    const until = { uses: 'query.hosts', until: 'result.all(h, h.enabled)', every: '10s', timeout: '1h' };
    const asking = begin(cloud, { steps: [{ id: 'hosts', ...until }] });
    await cloud.clock.advance(5 * 60_000);
    expect(asking.rt.calls.filter((call) => call === 'listHosts').length).toBeGreaterThan(3);
    expect(asking.step('hosts').state).toBe('running');
    await run(cloud, { steps: [enable('open')] });
    expect((await asking.ending).end).toBe('done');
    expect(await isEnabled(cloud)).toBe(true);
  });

  test('asks until the time is over has failed, after a bearable number of looks', async () => {
    const until = { uses: 'query.hosts', until: 'result.all(h, !h.enabled)', every: '1s', timeout: '24h' };
    const { rt, ending } = begin(cloud, { steps: [{ id: 'hosts', ...until }] });
    expect(await ending).toMatchObject({ error: { code: 'TimedOut' } });
    const looks = rt.calls.filter((call) => call === 'listHosts').length;
    expect(looks).toBeGreaterThan(300);
    expect(looks).toBeLessThan(500);
  });
});
