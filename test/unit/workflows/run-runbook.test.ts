/** The interpreter of runbooks over operations that run for real. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { setLock } from '../../../activities/inventory/instances.js';
import { getRun } from '../../../activities/inventory/runs.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { alive, loseGuest, migrating, openCloud } from './cloud.js';
import { adopt, begin, disable, drain, isEnabled, mostAtOnce, run, stopAll } from './runs.js';
import { broken } from '../../proof/invariants.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const failing = (id: string) => loseGuest(cloud, id);

test('steps run in their order, conditions and outputs see the steps before them', async () => {
  const [id = ''] = await adopt(cloud, 1);
  const step = (name: string, uses: string, condition?: string) => ({
    id: name,
    uses,
    with: { instance: 'web-1' },
    ...(condition === undefined ? {} : { if: condition }),
  });
  const [ended, record] = await run(
    cloud,
    {
      inputs: { again: { type: 'boolean' } },
      steps: [
        step('stop', 'instance.stop'),
        step('never', 'instance.terminate', "steps.stop.state == 'failed'"),
        step('start', 'instance.start', 'inputs.again && !steps.stop.result.forced'),
      ],
      outputs: { forced: '${{ steps.stop.result.forced }}', skipped: '${{ steps.never.state }}' },
    },
    { again: true },
  );
  expect(ended).toEqual({ end: 'done', result: { outputs: { forced: false, skipped: 'skipped' } } });
  expect(record.state).toBe('succeeded');
  expect(record.steps.map((s) => s.state)).toEqual(['succeeded', 'skipped', 'succeeded']);
  expect(record.outputs).toEqual({ forced: false, skipped: 'skipped' });
  expect(await cloud.instance(id)).toMatchObject({ state: 'active' });
});

describe('for-each', () => {
  test('runs at most max-parallel at a time, and that many', async () => {
    const ids = await adopt(cloud, 6);
    const [ended, record] = await run(cloud, { steps: [stopAll(ids, { 'max-parallel': 3 })] });
    expect(ended.end).toBe('done');
    expect(mostAtOnce(cloud)).toBe(3);
    expect(record.steps[0]).toMatchObject({ done: 6, total: 6, failed: 0 });
  });

  test('starts no further item once more than max-failures have failed, and names all that remain', async () => {
    const ids = await adopt(cloud, 5);
    for (const id of ids.slice(0, 2)) await failing(id);
    const [ended, record] = await run(cloud, {
      steps: [stopAll(ids, { 'max-failures': 1 }), { ...stopAll(ids), id: 'later' }],
    });
    expect(ended).toMatchObject({ end: 'failed', error: { code: 'RunFailed' } });
    expect(record.steps[0]?.items.map((item) => item.state)).toEqual([
      'failed',
      'failed',
      'not-started',
      'not-started',
      'not-started',
    ]);
    for (const id of ids) expect(record.error?.message).toContain(id);
    expect(record.steps[1]?.state).toBe('pending');
    expect(await alive(cloud, ids[4] ?? '')).toEqual(['h1']);
  });

  test('goes on past failures that are allowed, but the run has failed', async () => {
    const ids = await adopt(cloud, 3);
    await failing(ids[0] ?? '');
    const [ended, record] = await run(cloud, { steps: [stopAll(ids, { 'max-failures': 1 })] });
    expect(ended.end).toBe('failed');
    expect(record.steps[0]).toMatchObject({ done: 2, failed: 1 });
  });

  test('is not stopped by refused items, which are named with their reason', async () => {
    const ids = await adopt(cloud, 3);
    await setLock(cloud.inventory, ids[0] ?? '', { reason: 'payroll', by: 'bob' });
    const [ended, record] = await run(cloud, { steps: [drain()] });
    expect(ended).toMatchObject({
      end: 'failed',
      error: { message: expect.stringMatching(/web-1: .*locked by bob/) },
    });
    expect(record.steps[0]).toMatchObject({ done: 2, refused: 1, failed: 0, total: 3 });
    for (const id of ids) expect(await broken(cloud, id)).toEqual([]);
  });

  test('over a query lists again, works on what arrived meanwhile, and ends', async () => {
    await adopt(cloud, 2);
    let late = '';
    const arrive = {
      at: 'listInstances',
      when: 'after' as const,
      act: async () => {
        late ||= await cloud.adopt('late');
      },
    };
    const started = begin(cloud, { steps: [drain({ 'max-parallel': 2 })] }, {}, { troubles: [arrive] });
    expect(await started.ending).toMatchObject({ end: 'done' });
    expect(started.rt.calls.filter((step) => step === 'listInstances')).toHaveLength(3);
    const { steps } = await getRun(cloud.inventory, started.id);
    expect(steps[0]).toMatchObject({ done: 3, total: 3 });
    expect((await cloud.instance(late)).host).not.toBe('h1');
  });

  test('over nothing has done nothing', async () => {
    const [ended, record] = await run(cloud, { steps: [drain()] });
    expect(ended.end).toBe('done');
    expect(record.steps[0]).toMatchObject({ state: 'succeeded', total: 0 });
  });
});

describe('an instance that is busy', () => {
  async function held(): Promise<string> {
    const [id = ''] = await adopt(cloud, 1, { local: true });
    cloud.operation('instance.live-migrate', { instance: id });
    await migrating(cloud);
    return id;
  }

  test('is waited for', async () => {
    const id = await held();
    const { rt, ending } = begin(cloud, { steps: [stopAll([id])] });
    expect(await ending).toMatchObject({ end: 'done' });
    expect(rt.calls).toContain('waitForWorkflow');
    expect(await cloud.instance(id)).toMatchObject({ state: 'stopped', host: 'h2' });
  });

  test('at most as long as the step says; then its holder is named', async () => {
    const id = await held();
    const step = { id: 'move', uses: 'instance.live-migrate', with: { instance: id, wait: '0s' } };
    const [ended, record] = await run(cloud, { steps: [step] });
    expect(ended).toMatchObject({
      end: 'failed',
      error: { message: expect.stringContaining('busy with instance.live-migrate') },
    });
    expect(record.steps[0]?.items[0]).toMatchObject({
      state: 'refused',
      error: {
        code: 'InstanceBusy',
        details: { holder: 'instance.live-migrate', workflowId: `virtual/instance/${id}` },
      },
    });
    await cloud.settle();
  });
});

test('an operation that somebody terminates from outside is a failed item that says so', async () => {
  const [id = ''] = await adopt(cloud, 1);
  const started = begin(cloud, { steps: [drain()] });
  await migrating(cloud);
  cloud.temporal.newest(`virtual/instance/${id}`)?.terminate();
  expect(await started.ending).toMatchObject({
    end: 'failed',
    error: { code: 'RunFailed', message: expect.stringContaining('terminated') },
  });
  expect(await getRun(cloud.inventory, started.id)).toMatchObject({ state: 'failed' });
  await cloud.operation('instance.repair', { instance: id }).ending;
  expect(await broken(cloud, id)).toEqual([]);
});

describe('an expression that fails', () => {
  test('for one item is that item’s failure; the others that run are waited for', async () => {
    const ids = await adopt(cloud, 3);
    const items = [{ id: ids[0] }, { wrong: true }, { id: ids[2] }];
    const step = {
      ...stopAll([]),
      'for-each': items,
      'max-parallel': 3,
      with: { instance: '${{ item.id }}' },
    };
    const [ended, record] = await run(cloud, { steps: [step] });
    expect(ended).toMatchObject({ end: 'failed', error: { message: expect.stringContaining('item.id') } });
    expect(record.steps[0]).toMatchObject({ done: 2, failed: 1 });
    expect(record.steps[0]?.items.find((item) => item.state === 'failed')?.error?.code).toBe(
      'InvalidRunbook',
    );
  });

  test.each([
    ['name', { name: '${{ steps.gone.result }}' }],
    ['if', { if: 'steps.gone.result' }],
    ['for-each', { 'for-each': '${{ steps.gone.result }}' }],
  ])('in %s fails the step and the run, and the record says why', async (_where, more) => {
    const [ended, record] = await run(cloud, { steps: [{ ...disable(), ...more }] });
    expect(ended).toMatchObject({ end: 'failed', error: { code: 'InvalidRunbook' } });
    expect(record).toMatchObject({
      state: 'failed',
      steps: [{ state: 'failed', error: { code: 'InvalidRunbook' } }],
    });
    expect(await isEnabled(cloud)).toBe(true);
  });
});
