/** Runs within runs: other runbooks as steps, batches of long lists; and one run at a time. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { transact } from '../../../activities/inventory/database.js';
import { getRun, listRuns } from '../../../activities/inventory/runs.js';
import { listRunItems } from '../../../activities/inventory/run-items.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { fault, loseGuest, migrating, migrations, openCloud, slowLink } from './cloud.js';
import { adopt, begin, disable, drain, flaky, isEnabled, planOf, stopAll, waits } from './runs.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

describe('another runbook as a step', () => {
  const moves = planOf(
    {
      inputs: { host: { type: 'host', default: 'h1' } },
      steps: [disable(), drain({ with: { instance: '${{ item.id }}' }, 'max-parallel': 2 })],
      outputs: { moved: '${{ steps.move.done }}', from: '${{ inputs.host }}' },
    },
    'moves',
  );
  const steps = [{ id: 'empty', uses: 'runbook.moves' }];
  const outer = (more: Record<string, unknown> = {}) => ({
    ...planOf({ steps, outputs: { moved: '${{ steps.empty.result.moved }}' } }, 'outer', { moves }),
    ...more,
  });

  test('is a run of its own; its outputs are the result', async () => {
    await adopt(cloud, 3);
    const run = begin(cloud, { steps }, {}, {}, { plan: outer() });
    expect(await run.ending).toEqual({ end: 'done', result: { outputs: { moved: 3 } } });
    const [inner] = await listRuns(cloud.inventory, { parent: run.id });
    expect(inner).toMatchObject({
      runbook: 'moves',
      by: 'anna',
      state: 'succeeded',
      parent: { run: run.id, step: 'empty' },
      inputs: { host: 'h1' },
      outputs: { moved: 3, from: 'h1' },
    });
  });

  test('that fails fails the step with what it said', async () => {
    const [id = ''] = await adopt(cloud, 1);
    await loseGuest(cloud, id);
    const run = begin(cloud, { steps }, {}, {}, { plan: outer() });
    expect(await run.ending).toMatchObject({
      error: { code: 'RunFailed', message: expect.stringContaining('web-1') },
    });
  });

  test('with inputs that it does not know is refused before it starts', async () => {
    const wrong = planOf({ steps: [{ ...steps[0], with: { hots: 'h2' } }] }, 'outer', { moves });
    const run = begin(cloud, { steps }, {}, {}, { plan: wrong });
    expect(await run.ending).toMatchObject({ error: { message: expect.stringContaining('hots') } });
    expect(await listRuns(cloud.inventory, { parent: run.id })).toEqual([]);
  });

  test.each([
    [true, ['host.enable h1: done']],
    [false, []],
  ])('is cancelled with the run, with undo %s', async (undo, undone) => {
    await adopt(cloud, 3);
    await slowLink(cloud);
    const run = begin(cloud, { steps }, {}, {}, { plan: outer() });
    await migrating(cloud, 2);
    await run.ask({ action: 'cancel', undo });
    expect(await run.ending).toMatchObject({ error: { code: 'Cancelled' } });
    const [inner] = await listRuns(cloud.inventory, { parent: run.id });
    expect(inner).toMatchObject({ state: 'cancelled', undone });
    expect(await isEnabled(cloud)).toBe(undo);
    expect(await migrations(cloud)).toBe(0);
  });

  test('is paused with the run', async () => {
    await adopt(cloud, 4);
    await slowLink(cloud);
    const run = begin(cloud, { steps }, {}, {}, { plan: outer() });
    await migrating(cloud, 2);
    await run.ask({ action: 'pause' });
    const [inner] = await listRuns(cloud.inventory, { parent: run.id });
    const child = cloud.temporal.newest(run.rt.runWorkflowId(inner?.id ?? ''));
    expect(child?.shown.at(-1)?.phase).toBe('paused');
    await fault(cloud, { do: 'restore', hosts: ['h1'] });
    await migrating(cloud, 0);
    await run.ask({ action: 'resume' });
    expect(await run.ending).toMatchObject({ result: { outputs: { moved: 4 } } });
  });

  test('has the concurrency key of the run that it is a part of', async () => {
    const same = planOf({ steps: [disable()], concurrency: 'h1' }, 'moves');
    const both = { ...planOf({ steps, concurrency: 'h1' }, 'outer', { moves: same }) };
    const run = begin(cloud, { steps }, {}, {}, { plan: both });
    expect((await run.ending).end).toBe('done');
  });
});

describe('concurrency', () => {
  const book = (wait?: string) => ({
    inputs: { host: { type: 'host', default: 'h1' } },
    steps: [drain()],
    finally: [{ id: 'end', uses: 'query.hosts' }],
    concurrency: wait === undefined ? 'drain-${{ inputs.host }}' : { key: 'drain-${{ inputs.host }}', wait },
  });
  async function held() {
    await adopt(cloud, 1, { local: true });
    const first = begin(cloud, book(), { host: 'h1' });
    await migrating(cloud);
    return first;
  }

  test('refuses the second run, which has done nothing', async () => {
    const first = await held();
    const second = begin(cloud, book(), { host: 'h1' });
    expect(await second.ending).toMatchObject({
      error: { code: 'RunBusy', message: expect.stringContaining(first.id) },
    });
    expect(await getRun(cloud.inventory, second.id)).toMatchObject({
      state: 'failed',
      steps: [{ state: 'pending' }, { state: 'pending' }],
    });
    expect((await first.ending).end).toBe('done');
    expect((await begin(cloud, book(), { host: 'h1' }).ending).end).toBe('done');
  });

  test('lets the second wait, and lets runs of another key go', async () => {
    const first = await held();
    const second = begin(cloud, book('1h'), { host: 'h1' });
    expect((await begin(cloud, { ...book(), steps: [disable()] }, { host: 'h2' }).ending).end).toBe('done');
    expect((await first.ending).end).toBe('done');
    expect((await second.ending).end).toBe('done');
  });

  test('is taken from a run whose workflow was terminated', async () => {
    const first = await held();
    first.rt.terminate();
    await first.ending;
    expect((await begin(cloud, { ...book(), steps: [disable()] }, { host: 'h1' }).ending).end).toBe('done');
  });
});

/** Instances that exist in the inventory alone, each with a host of its name that can be opened and closed. */
async function many(count: number): Promise<void> {
  const [first = ''] = await adopt(cloud, 1);
  await transact(cloud.inventory, async (trx) => {
    const host = await trx.selectFrom('hosts').selectAll().where('name', '=', 'h1').executeTakeFirstOrThrow();
    const like = await trx
      .selectFrom('instances')
      .selectAll()
      .where('id', '=', first)
      .executeTakeFirstOrThrow();
    const names = Array.from({ length: count - 1 }, (_, index) => `n${String(index).padStart(4, '0')}`);
    await trx
      .insertInto('hosts')
      .values(['web-1', ...names].map((name) => ({ ...host, name })))
      .execute();
    await trx
      .insertInto('instances')
      .values(names.map((name) => ({ ...like, name, id: randomUUID() })))
      .execute();
  });
}
const each = (more: Record<string, unknown> = {}) => ({
  id: 'close',
  uses: 'host.disable',
  'for-each': { query: 'instances' },
  'max-parallel': 20,
  with: { host: '${{ item.name }}', reason: 'no ${{ index }}' },
  ...more,
});
const batchesOf = (id: string) =>
  cloud.log.events.filter(({ kind, who }) => kind === 'starts' && who.startsWith(`run-batch ${id}/`));

describe('a list of more than 250', () => {
  test('is done in batches; every item is a row, the record holds none', async () => {
    await many(501);
    const run = begin(cloud, { steps: [each()], outputs: { n: '${{ size(steps.close.result) }}' } });
    expect(await run.ending).toEqual({ end: 'done', result: { outputs: { n: 0 } } });
    expect(batchesOf(run.id)).toHaveLength(3);
    expect(run.step('close')).toMatchObject({ done: 501, total: 501, items: [] });
    const rows = await listRunItems(cloud.inventory, run.id);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(501);
    expect(run.rt.calls.filter((call) => call === 'listInstanceNames').length).toBe(2);
    const reasons = await transact(cloud.inventory, (trx) =>
      trx.selectFrom('hosts').select('disabled_reason').where('name', 'like', 'n%').execute(),
    );
    expect(new Set(reasons.map((row) => row.disabled_reason)).size).toBe(500);
  });

  test('ends where more have failed than may, over all batches', async () => {
    await many(600);
    const wrong = each({
      with: { host: "${{ index < 3 || index == 260 || index == 270 ? 'h9' : item.name }}", reason: 'x' },
    });
    const run = begin(cloud, { steps: [{ ...wrong, 'max-parallel': 1, 'max-failures': 4 }] });
    expect(await run.ending).toMatchObject({ error: { code: 'RunFailed' } });
    expect(batchesOf(run.id)).toHaveLength(2);
    expect(run.step('close')).toMatchObject({ done: 266, failed: 5, total: 600 });
    expect(run.step('close').items).toHaveLength(100);
    const rows = await listRunItems(cloud.inventory, run.id, { state: 'not-started' });
    expect(rows).toHaveLength(600 - 271);
  });

  test('that is cancelled half-way tells what was done, and takes it back with its own values', async () => {
    await many(300);
    flaky(cloud, 0, 'Internal', (number) => (number === 255 ? run.rt.cancel() : undefined));
    const undo = { uses: 'host.enable', with: { host: '${{ item.name }}' } };
    const run = begin(cloud, { steps: [each({ 'max-parallel': 1, undo })] });
    expect(await run.ending).toMatchObject({ error: { code: 'Cancelled' } });
    const record = await getRun(cloud.inventory, run.id);
    const { done } = record.steps[0] ?? { done: 0 };
    expect(done).toBeGreaterThanOrEqual(254);
    expect(done).toBeLessThan(300);
    expect(record.undone).toEqual([`host.enable of ${done} items of close: done`]);
    const closed = await transact(cloud.inventory, (trx) =>
      trx.selectFrom('hosts').select('name').where('enabled', '=', 0).execute(),
    );
    expect(closed.length).toBeLessThanOrEqual(1);
  });

  test('of which a batch is terminated goes on with the next; its items are told', async () => {
    await many(300);
    flaky(cloud, 0, 'Internal', (number) => {
      if (number === 10) cloud.temporal.newest(`virtual/run/${run.id}/close/1`)?.terminate();
    });
    const run = begin(cloud, { steps: [each({ 'max-parallel': 1, 'max-failures': 300 })] });
    expect(await run.ending).toMatchObject({ error: { message: expect.stringContaining('terminated') } });
    expect(run.step('close')).toMatchObject({ done: 50, failed: 250, total: 300 });
    expect(await listRunItems(cloud.inventory, run.id, { state: 'cancelled' })).toHaveLength(250);
  });
});

describe('taking back', () => {
  test('of each item that was done, the last first; not of the others', async () => {
    const ids = await adopt(cloud, 3);
    await loseGuest(cloud, ids[1] ?? '');
    const undo = { uses: 'instance.start', with: { instance: '${{ item }}' } };
    const run = begin(cloud, {
      steps: [
        stopAll(ids, { 'max-failures': 1, 'continue-on-error': true, undo }),
        { id: 'gate', approve: {} },
      ],
    });
    await waits(cloud, run);
    await run.ask({ action: 'cancel' });
    await run.ending;
    const { undone } = await getRun(cloud.inventory, run.id);
    expect(undone).toEqual(['instance.start of 2 items of stop: done']);
    for (const id of [ids[0] ?? '', ids[2] ?? '']) expect((await cloud.instance(id)).state).toBe('active');
  });
});

describe('trying a run again', () => {
  test('takes over what was achieved, and works on the named items alone', async () => {
    const ids = await adopt(cloud, 3);
    const book = {
      steps: [
        disable({ if: 'steps.disable.result.was.enabled' }),
        stopAll(ids),
        { id: 'end', uses: 'query.hosts' },
      ],
      outputs: { was: '${{ steps.disable.result.was.enabled }}', stopped: '${{ steps.stop.done }}' },
    };
    const before = {
      result: { was: { enabled: true } },
      done: 1,
      failed: 0,
      refused: 0,
      total: 1,
      state: 'succeeded',
    };
    const retry = { of: 'first', outcomes: { disable: before }, only: { stop: [ids[1] ?? ''] } };
    const run = begin(cloud, book, {}, {}, { retry });
    expect(await run.ending).toEqual({ end: 'done', result: { outputs: { was: true, stopped: 1 } } });
    expect(run.step('disable').state).toBe('succeeded');
    expect(await isEnabled(cloud)).toBe(true);
    expect((await cloud.instance(ids[1] ?? '')).state).toBe('stopped');
    expect((await cloud.instance(ids[0] ?? '')).state).toBe('active');
    expect(await getRun(cloud.inventory, run.id)).toMatchObject({ retryOf: 'first' });
  });
});
