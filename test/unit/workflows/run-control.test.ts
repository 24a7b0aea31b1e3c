/** What people ask of a run: approvals, pause and resume, cancel. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listRunActions } from '../../../activities/inventory/run-actions.js';
import { getRun } from '../../../activities/inventory/runs.js';
import { DroverError } from '../../../model/errors.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { fault, migrating, migrations, openCloud, slowLink, until } from './cloud.js';
import { adopt, begin, disable, drain, flaky, inMinutes, isEnabled, stopAll, waits } from './runs.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const gate = (more: Record<string, unknown> = {}) => ({ id: 'gate', approve: { message: 'Sure?', ...more } });
const enable = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  uses: 'host.enable',
  with: { host: 'h1' },
  ...more,
});
const refusal = async (asked: Promise<unknown>): Promise<string> => {
  try {
    await asked;
  } catch (error) {
    if (error instanceof DroverError) return `${error.code}: ${error.message}`;
  }
  return 'it was accepted';
};

describe('approve', () => {
  test('lets a step go on; who approved is recorded', async () => {
    const run = begin(cloud, { steps: [gate(), enable('after')] });
    await waits(cloud, run);
    expect(run.step('gate').approval).toMatchObject({
      state: 'waiting',
      needed: 1,
      message: 'Sure?',
      targets: [],
    });
    expect(run.rt.shown.at(-1)).toMatchObject({
      phase: 'waiting for approval',
      details: expect.stringContaining('**gate** waits for approval (0 of 1)'),
    });
    expect(await run.ask({ action: 'approve', by: 'ben', comment: 'fine' })).toMatch(/goes on/);
    expect((await run.ending).end).toBe('done');
    expect(run.step('gate').approval).toMatchObject({
      state: 'approved',
      approvals: [{ by: 'ben', comment: 'fine' }],
    });
    expect(await listRunActions(cloud.inventory, run.id)).toMatchObject([
      { action: 'start', by: 'anna' },
      { action: 'approve', by: 'ben', step: 'gate', comment: 'fine' },
    ]);
  });

  test('shows what is worked on, and then works on exactly that', async () => {
    const ids = await adopt(cloud, 2);
    const run = begin(cloud, { steps: [drain({ approve: { message: 'Move ${{ steps.move.state }}?' } })] });
    await waits(cloud, run, 'move');
    expect(run.step('move').approval).toMatchObject({ targets: ['web-1', 'web-2'], targetCount: 2 });
    const late = await cloud.adopt('late');
    await run.ask({ action: 'approve' });
    expect((await run.ending).end).toBe('done');
    expect(run.step('move')).toMatchObject({ done: 2, total: 2 });
    expect((await cloud.instance(ids[0] ?? '')).host).not.toBe('h1');
    expect((await cloud.instance(late)).host).toBe('h1');
  });

  test('shows the input of a step that is one operation', async () => {
    const run = begin(cloud, { steps: [enable('open', { approve: {} })] });
    await waits(cloud, run, 'open');
    expect(run.step('open').approval).toMatchObject({ targets: ['host: h1'], targetCount: 1 });
    run.rt.cancel();
    expect(await run.ending).toMatchObject({ error: { code: 'Cancelled' } });
    expect(run.step('open').state).toBe('cancelled');
  });

  test('by as many different persons as are needed', async () => {
    const run = begin(cloud, { steps: [gate({ count: 2 })] });
    await waits(cloud, run);
    expect(await run.ask({ action: 'approve', by: 'ben' })).toMatch(/1 more must approve/);
    expect(await refusal(run.ask({ action: 'approve', by: 'ben' }))).toMatch(
      /WrongState: ben approved step gate already/,
    );
    await run.ask({ action: 'approve', by: 'cleo' });
    expect((await run.ending).end).toBe('done');
  });

  test('by those who are asked alone; never by viewers and automations', async () => {
    const run = begin(cloud, { steps: [gate({ from: ['cleo', 'role:admin'] })] });
    await waits(cloud, run);
    expect(await refusal(run.ask({ action: 'approve', by: 'ben' }))).toMatch(
      /PermissionDenied: step gate waits for cleo or role:admin; ben \(operator\)/,
    );
    expect(await refusal(run.ask({ action: 'approve', by: 'cleo', role: 'viewer' }))).toMatch(/viewer/);
    expect(await refusal(run.ask({ action: 'approve', by: 'cleo', role: 'automation' }))).toMatch(
      /automation/,
    );
    await run.ask({ action: 'approve', by: 'dora', role: 'admin' });
    expect((await run.ending).end).toBe('done');
  });

  test('is refused where nothing waits, and where another step does', async () => {
    const run = begin(cloud, {
      steps: [
        { id: 'both', parallel: [gate(), { ...gate(), id: 'other' }] },
        { id: 'calm', wait: '20s' },
      ],
    });
    await waits(cloud, run, 'other');
    expect(await refusal(run.ask({ action: 'approve' }))).toMatch(
      /InvalidInput: several steps wait: gate, other/,
    );
    expect(await refusal(run.ask({ action: 'approve', step: 'calm' }))).toMatch(
      /step calm does not wait for approval; what waits is gate, other/,
    );
    await run.ask({ action: 'approve', step: 'gate' });
    await run.ask({ action: 'approve', step: 'other' });
    expect(await refusal(run.ask({ action: 'approve' }))).toMatch(/no step of the run waits for approval/);
    await run.ending;
  });

  test.each([
    ['reject', 'rejected', 'was not approved until'],
    ['approve', 'succeeded', ''],
  ])('that nobody gave in time: otherwise %s', async (otherwise, state, message) => {
    const run = begin(cloud, { steps: [gate({ within: '2h', otherwise })] });
    const ended = await run.ending;
    expect(await getRun(cloud.inventory, run.id)).toMatchObject({
      state,
      steps: [{ state, approval: { state: 'expired' } }],
    });
    if (ended.end === 'failed')
      expect(ended.error).toMatchObject({ code: 'Rejected', message: expect.stringContaining(message) });
  });
});

describe('reject', () => {
  test('ends the run as rejected: nothing is taken back, what is always done is done', async () => {
    const run = begin(cloud, {
      steps: [disable(), gate(), enable('never')],
      'on-failure': [enable('not')],
      finally: [{ id: 'end', uses: 'query.hosts' }],
    });
    await waits(cloud, run);
    await run.ask({ action: 'reject', comment: 'not today' });
    expect(await run.ending).toMatchObject({
      error: { code: 'Rejected', message: 'gate was rejected by ben: not today' },
    });
    const record = await getRun(cloud.inventory, run.id);
    expect(record).toMatchObject({ state: 'rejected', undone: [] });
    expect(record.steps.map(({ state }) => state)).toEqual([
      'succeeded',
      'rejected',
      'pending',
      'pending',
      'succeeded',
    ]);
    expect(await isEnabled(cloud)).toBe(false);
  });

  test('of a step that the run may go on without', async () => {
    const run = begin(cloud, { steps: [{ ...gate(), 'continue-on-error': true }, enable('after')] });
    await waits(cloud, run);
    await run.ask({ action: 'reject' });
    expect((await run.ending).end).toBe('done');
    expect([run.step('gate').state, run.step('after').state]).toEqual(['rejected', 'succeeded']);
  });
});

describe('pause', () => {
  test('starts no further item, lets what runs end, and goes on where it was', async () => {
    const ids = await adopt(cloud, 4);
    await slowLink(cloud);
    const run = begin(cloud, { steps: [drain({ 'max-parallel': 2 })] });
    await migrating(cloud, 2);
    expect(await run.ask({ action: 'pause', comment: 'lunch' })).toMatch(/what move has running ends/);
    expect(await refusal(run.ask({ action: 'pause', by: 'cleo' }))).toMatch(
      /paused already, by ben since .* \(lunch\)/,
    );
    expect(run.rt.shown.at(-1)).toMatchObject({
      phase: 'paused',
      details: expect.stringMatching(/\*\*paused\*\* by ben .*: lunch/),
    });
    await fault(cloud, { do: 'restore', hosts: ['h1'] });
    await until(cloud, 'two are moved', () => run.step('move').done === 2);
    expect(await migrations(cloud)).toBe(0);
    expect(run.step('move')).toMatchObject({ state: 'running', total: 4 });
    await run.ask({ action: 'resume' });
    expect((await run.ending).end).toBe('done');
    for (const id of ids) expect((await cloud.instance(id)).host).not.toBe('h1');
    expect((await listRunActions(cloud.inventory, run.id)).map(({ action }) => action)).toEqual([
      'start',
      'pause',
      'resume',
    ]);
  });

  test('starts no further step and no further attempt', async () => {
    const tries = flaky(cloud, 1, 'MigrationFailed', async (number) => {
      if (number !== 1) return;
      await run.ask({ action: 'pause' });
      inMinutes(cloud, 60, () => run.ask({ action: 'resume' }));
    });
    const run = begin(cloud, {
      steps: [enable('open', { retry: { attempts: 2, backoff: '1s' } }), enable('after')],
    });
    expect((await run.ending).end).toBe('done');
    expect((tries[1] ?? 0) - (tries[0] ?? 0)).toBeGreaterThanOrEqual(60 * 60_000);
  });

  test('is refused to viewers, and resume where nothing is paused', async () => {
    const run = begin(cloud, { steps: [gate()], finally: [{ id: 'end', wait: '1m' }] });
    await waits(cloud, run);
    expect(await refusal(run.ask({ action: 'pause', role: 'viewer' }))).toMatch(/PermissionDenied/);
    expect(await refusal(run.ask({ action: 'resume' }))).toBe('WrongState: the run is not paused');
    await run.ask({ action: 'reject' });
    await until(cloud, 'it ends', () => run.step('end').state === 'running');
    expect(await refusal(run.ask({ action: 'pause' }))).toMatch(/the run is ending/);
    await run.ending;
  });

  test('ends when the run is cancelled', async () => {
    const ids = await adopt(cloud, 2);
    flaky(cloud, 0, 'Internal', (number) => (number === 1 ? run.ask({ action: 'pause' }) : undefined));
    const run = begin(cloud, { steps: [disable(), stopAll(ids)] });
    await until(cloud, 'it is paused', () => run.step('disable').state === 'succeeded');
    await run.ask({ action: 'cancel' });
    expect(await run.ending).toMatchObject({ error: { code: 'Cancelled' } });
    expect(await getRun(cloud.inventory, run.id)).toMatchObject({
      state: 'cancelled',
      undone: ['host.enable h1: done'],
      steps: [{ state: 'succeeded' }, { state: 'cancelled', total: 0 }],
    });
  });
});

describe('cancel', () => {
  test.each([
    [true, ['host.enable h1: done']],
    [false, []],
  ])('with undo %s', async (undo, undone) => {
    await adopt(cloud, 2);
    await slowLink(cloud);
    const run = begin(cloud, {
      steps: [disable(), drain({ 'max-parallel': 2 })],
      'on-failure': [enable('not')],
      finally: [{ id: 'end', uses: 'query.hosts' }],
    });
    await migrating(cloud, 2);
    expect(await run.ask({ action: 'cancel', undo })).toMatch(undo ? /takes back/ : /takes nothing back/);
    expect(await refusal(run.ask({ action: 'cancel' }))).toMatch(/being cancelled already, by ben/);
    expect(await run.ending).toMatchObject({ error: { code: 'Cancelled' } });
    expect(await getRun(cloud.inventory, run.id)).toMatchObject({ state: 'cancelled', undone });
    expect([run.step('not').state, run.step('end').state]).toEqual(['pending', 'succeeded']);
    expect(await migrations(cloud)).toBe(0);
    expect((await listRunActions(cloud.inventory, run.id)).at(-1)).toMatchObject({
      action: 'cancel',
      by: 'ben',
      details: { undo },
    });
  });
});
