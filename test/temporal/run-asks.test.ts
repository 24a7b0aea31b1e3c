/** What people ask of runs, by the client and on a real Temporal: who may, what is recorded, what happens then. */
import { expect, test } from 'vitest';
import { listOperations } from '../../activities/inventory/records.js';
import { listRunActions } from '../../activities/inventory/run-actions.js';
import { getRun } from '../../activities/inventory/runs.js';
import { askRun, decide } from '../../client/run-asks.js';
import { prepareRetry } from '../../client/run-retry.js';
import { viewRun } from '../../client/run-view.js';
import { startRun } from '../../client/runs.js';
import type { FrozenRunbook } from '../../model/runbook.js';
import { fault } from '../unit/workflows/cloud.js';
import { until } from './helpers.js';
import {
  codeOf,
  did,
  disable,
  ending,
  exitOf,
  frozen,
  gate,
  isEnabled,
  openStage,
  person,
  start,
  stop,
  waiting,
} from './run-stage.js';

const stage = openStage();

/** Of these, the instances that an operation has begun on. */
async function reached(ids: string[]): Promise<string[]> {
  const { inventory } = stage().cloud;
  const begun = await Promise.all(ids.map((instance) => listOperations(inventory, { instance })));
  return ids.filter((_id, index) => (begun[index] ?? []).length > 0);
}

test('two persons approve: one alone is not enough, none counts twice, a viewer and whoever is not asked are refused', async () => {
  const ids = [await stage().cloud.adopt('web-1'), await stage().cloud.adopt('web-2')];
  const id = await start(stage(), [stop(ids, { approve: { count: 2, from: ['bob', 'role:admin'] } })]);
  const [wait] = await waiting(stage(), id);
  expect(wait).toMatchObject({
    run: id,
    step: 'stop',
    approval: { needed: 2, targets: ids, targetCount: 2 },
  });
  const decision = { action: 'approve' as const, step: null, comment: null };
  expect(await codeOf(decide(person(stage(), 'eve', 'viewer'), id, decision))).toMatch(
    /^PermissionDenied: eve has the role/,
  );
  expect(await codeOf(decide(person(stage(), 'carl'), id, decision))).toMatch(
    /^PermissionDenied: step stop waits for bob or role:admin; carl \(operator\)/,
  );
  expect(await codeOf(decide(person(stage(), 'bob'), id, { ...decision, step: 'other' }))).toMatch(
    /^WrongState: step other/,
  );
  expect(await decide(person(stage(), 'bob'), id, { ...decision, comment: 'fine' })).toMatchObject({
    run: id,
  });
  expect(await codeOf(decide(person(stage(), 'bob'), id, decision))).toMatch(
    /^WrongState: bob approved step stop already/,
  );
  expect(await viewRun(person(stage(), 'ann'), id)).toMatchObject({
    waits: [{ approval: { approvals: [{ by: 'bob' }] } }],
  });
  await decide(person(stage(), 'root', 'admin'), id, decision);
  const { view, lines } = await ending(stage(), id);
  expect(exitOf(view)).toBe('done');
  expect(await did(stage(), id)).toEqual(['ann start - -', 'bob approve stop fine', 'root approve stop -']);
  expect(lines).toEqual(
    expect.arrayContaining(['bob approved step stop: "fine"', 'root approved step stop']),
  );
  expect(await codeOf(decide(person(stage(), 'bob'), id, decision))).toMatch(
    /^WrongState: run .* does not run any more \(succeeded at .*\): there is nothing to approve/,
  );
});

test('a rejection ends the run as rejected, with who and why', async () => {
  const id = await start(stage(), [gate]);
  const told: string[] = [];
  const end = ending(stage(), id, told);
  await until('it is told what to do', () => told.some((line) => line.endsWith(`drover run approve ${id}`)));
  await decide(person(stage(), 'bob'), id, { action: 'reject', step: 'gate', comment: 'not today' });
  const { view, lines } = await end;
  expect(view).toMatchObject({ state: 'rejected', steps: [{ id: 'gate', state: 'rejected' }] });
  expect(exitOf(view)).toBe('Rejected');
  expect(view.error?.message).toBe('gate was rejected by bob: not today');
  expect(lines.filter((line) => line.includes('drover run approve'))).toHaveLength(1);
});

test('approving a run means the one run within it that waits', async () => {
  const sub = frozen([{ id: 'inner', approve: {} }]);
  const plan: FrozenRunbook = { ...frozen([{ id: 'outer', uses: 'runbook.sub' }]), runbooks: { sub } };
  const { id } = await startRun(person(stage(), 'ann'), { plan, inputs: {} });
  const [wait] = await waiting(stage(), id);
  expect(wait?.run).not.toBe(id);
  const answer = await decide(person(stage(), 'bob'), id, { action: 'approve', step: null, comment: null });
  expect(answer.run).toBe(wait?.run);
  const { view } = await ending(stage(), id);
  expect(view).toMatchObject({
    state: 'succeeded',
    subRuns: [{ id: wait?.run, step: 'outer', state: 'succeeded' }],
  });
  expect(await codeOf(prepareRetry(person(stage(), 'ann'), wait?.run ?? ''))).toMatch(
    /^WrongState: .* is step outer of run/,
  );
});

test('paused, nothing new begins; resumed, it goes on', async () => {
  const ids = [await stage().cloud.adopt('web-1'), await stage().cloud.adopt('web-2')];
  // Each call to it takes two seconds.
  await fault(stage().cloud, { do: 'slow', hosts: ['h1'], 'call-ms': 40_000 });
  const id = await start(stage(), [stop(ids)]);
  await until('the first is stopped', async () => (await reached(ids)).length === 1);
  expect(await codeOf(askRun(person(stage(), 'ann'), id, { action: 'resume', comment: null }))).toMatch(
    /^WrongState: the run is not paused/,
  );
  await askRun(person(stage(), 'bob'), id, { action: 'pause', comment: 'lunch' });
  expect(await codeOf(askRun(person(stage(), 'ann'), id, { action: 'pause', comment: null }))).toMatch(
    /^WrongState: the run is paused already, by bob/,
  );
  await fault(stage().cloud, { do: 'restore', hosts: ['h1'] });
  await until(
    'the first is done',
    async () => (await stage().cloud.instance(ids[0] ?? '')).state === 'stopped',
  );
  expect((await viewRun(person(stage(), 'ann'), id)).paused).toMatchObject({ by: 'bob', reason: 'lunch' });
  expect(await reached(ids)).toEqual([ids[0]]);
  await askRun(person(stage(), 'ann'), id, { action: 'resume', comment: null });
  expect(exitOf((await ending(stage(), id)).view)).toBe('done');
  expect(await reached(ids)).toEqual(ids);
  expect(await did(stage(), id)).toEqual(['ann start - -', 'bob pause - lunch', 'ann resume - -']);
});

test.each([
  [true, ['host.enable h1: done']],
  [false, []],
])('cancelled with undo %s', async (undo, undone) => {
  const id = await start(stage(), [disable, gate]);
  await waiting(stage(), id);
  const { said } = await askRun(person(stage(), 'bob'), id, { action: 'cancel', undo, comment: 'enough' });
  expect(said).toContain('it stops');
  const { view } = await ending(stage(), id);
  expect(view).toMatchObject({ state: 'cancelled', undone });
  expect(exitOf(view)).toBe('Cancelled');
  expect(await isEnabled(stage())).toBe(undo);
  expect((await listRunActions(stage().cloud.inventory, id)).at(-1)).toMatchObject({
    by: 'bob',
    action: 'cancel',
    comment: 'enough',
    details: { undo },
  });
  // What was taken back is done again, and only that.
  const { steps } = await prepareRetry(person(stage(), 'ann'), id);
  expect(steps.map(({ does }) => does)).toEqual([undo ? 'all' : 'kept', 'all']);
});

test('without a worker nothing is sent, but for a cancel, which waits for one', async () => {
  const id = await start(stage(), [gate]);
  await waiting(stage(), id);
  await stage().stopWorkers();
  // Temporal itself forgets a worker that is gone after a while only: then the time limit tells.
  const refused = await codeOf(
    decide(person(stage(), 'bob'), id, { action: 'approve', step: 'gate', comment: null }),
  );
  expect(refused).toMatch(/^WorkerMissing: no worker/);
  const view = await viewRun(person(stage(), 'ann'), id);
  expect(view).toMatchObject({ certain: false, state: 'running' });
  expect(view.notes).toHaveLength(1);
  await stage().client.workflow.getHandle(`test/run/${id}`).terminate();
  expect(await codeOf(askRun(person(stage(), 'bob'), id, { action: 'pause', comment: null }))).toMatch(
    /^WrongState: the workflow of run .* was ended from outside/,
  );
  expect(await codeOf(prepareRetry(person(stage(), 'ann'), id))).toMatch(
    /^WrongState: the workflow of run .* was ended from outside/,
  );
  expect(await codeOf(askRun(person(stage(), 'bob'), 'nobody', { action: 'pause', comment: null }))).toMatch(
    /^NotFound: no run/,
  );
  expect((await getRun(stage().cloud.inventory, id)).state).toBe('running');
});
