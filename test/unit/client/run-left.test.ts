import { expect, test } from 'vitest';
import { leftOf } from '../../../client/run-left.js';
import { pendingStep, type RunItemRow, type RunRecord, type RunStepRecord } from '../../../model/run.js';
import { runbookSchema, type FrozenRunbook } from '../../../model/runbook.js';

const plan = (steps: Record<string, unknown>[], more: Record<string, unknown> = {}): FrozenRunbook => ({
  language: 2,
  name: 'test',
  digest: 'd',
  source: '',
  runbook: runbookSchema.parse({ name: 'test', description: 'A test.', steps, ...more }),
});

const record = (
  id: string,
  state: RunStepRecord['state'],
  of: Partial<RunStepRecord> = {},
): RunStepRecord => ({
  ...pendingStep(id, id),
  state,
  ...of,
});

const row = (step: string, key: string, state: RunItemRow['state'] = 'done', result = {}): RunItemRow => ({
  run: 'r',
  step,
  key,
  label: `${key}!`,
  state,
  error: null,
  result,
  attempt: 1,
  endedAt: '',
});

const run = (steps: RunStepRecord[], of: Partial<RunRecord> = {}): RunRecord => ({
  id: 'r',
  runbook: 'test',
  digest: 'd',
  source: '',
  inputs: {},
  by: 'ann',
  state: 'failed',
  steps,
  undone: [],
  outputs: {},
  error: null,
  startedAt: '',
  endedAt: '',
  ...of,
});

const does = (of: ReturnType<typeof leftOf>): string[] =>
  of.steps.map(({ id, does: what, items }) => [id, what, ...items.map(({ key }) => key)].join(' '));

const close = { id: 'close', uses: 'host.disable', with: { host: 'h' }, undo: { uses: 'host.enable' } };
const move = { id: 'move', uses: 'instance.live-migrate', 'for-each': { query: 'instances' } };

test('what was achieved is taken over with its result; of the rest only what is not done', () => {
  const steps = [
    record('close', 'succeeded', { done: 1, total: 1 }),
    record('skip', 'skipped'),
    record('move', 'failed', { done: 1, failed: 1, total: 4 }),
    record('tell', 'pending'),
  ];
  const skip = { id: 'skip', wait: '1s', if: false };
  const rows = [
    row('close', 'close', 'done', { was: { enabled: true } }),
    row('move', 'a'),
    row('move', 'b', 'failed'),
    row('move', 'c', 'refused'),
    row('move', 'd', 'not-started'),
  ];
  const left = leftOf(plan([close, skip, move, { id: 'tell', wait: '1s' }]), run(steps), rows, []);
  expect(does(left)).toEqual(['close kept', 'skip kept', 'move items b c d', 'tell all']);
  expect(left.retry).toMatchObject({
    of: 'r',
    outcomes: {
      close: { result: { was: { enabled: true } }, done: 1, state: 'succeeded' },
      skip: { state: 'skipped' },
    },
    only: { move: ['b', 'c', 'd'] },
  });
  expect(Object.keys(left.retry.outcomes)).toEqual(['close', 'skip']);
});

test('items that are done are never done again, also when the step failed by something else', () => {
  const steps = [record('move', 'failed', { done: 1, total: 1 })];
  const left = leftOf(plan([move]), run(steps), [row('move', 'a')], []);
  expect(left.retry.only).toEqual({ move: [] });
});

test('a step that failed before it listed anything runs as a whole', () => {
  expect(does(leftOf(plan([move]), run([record('move', 'failed')]), [], []))).toEqual(['move all']);
});

test('what a cancel took back is done again; what could not be taken back is not', () => {
  const steps = [record('close', 'succeeded', { done: 1, total: 1 })];
  const rows = [row('close', 'close')];
  const cancelled = (undone: string[]) => run(steps, { state: 'cancelled', undone });
  const left = (undone: string[]) => does(leftOf(plan([close]), cancelled(undone), rows, []));
  expect(left(['host.enable h: done'])).toEqual(['close all']);
  expect(left(['host.enable h: NOT done: it is gone'])).toEqual(['close kept']);
  expect(left([])).toEqual(['close kept']);
});

test('a query is asked anew; steps of on-failure and finally are not taken over', () => {
  const steps = [
    record('find', 'succeeded'),
    record('go', 'rejected'),
    record('sorry', 'succeeded'),
    record('end', 'succeeded'),
  ];
  const wait = { wait: '1s' };
  const runbook = plan(
    [
      { id: 'find', uses: 'query.instances' },
      { id: 'go', approve: {} },
    ],
    {
      'on-failure': [{ id: 'sorry', ...wait }],
      finally: [{ id: 'end', ...wait }],
    },
  );
  const left = leftOf(runbook, run(steps), [], []);
  expect(does(left)).toEqual(['find all', 'go all']);
  expect(left.retry.outcomes).toEqual({});
});

test('of steps at the same time those with trouble; a group is achieved when all in it are', () => {
  const both = {
    id: 'both',
    parallel: [
      { id: 'one', wait: '1s' },
      { id: 'two', wait: '1s', 'continue-on-error': true },
    ],
  };
  const left = (two: RunStepRecord['state']) => {
    const steps = [record('both', 'succeeded'), record('one', 'succeeded'), record('two', two)];
    return Object.keys(leftOf(plan([both]), run(steps), [], []).retry.outcomes);
  };
  expect(left('failed')).toEqual(['one']);
  expect(left('succeeded')).toEqual(['both', 'one', 'two']);
});

test('a run that tried another again took steps over: their results are those of the first', () => {
  const steps = [
    record('close', 'succeeded', { done: 1, total: 1 }),
    record('move', 'succeeded', { total: 1 }),
  ];
  const earlier = [
    row('close', 'close', 'done', { was: 1 }),
    row('move', 'a', 'done', { to: 'x' }),
    row('move', 'b', 'failed'),
  ];
  const { outcomes } = leftOf(
    plan([close, move]),
    run(steps),
    [row('move', 'b', 'done', { to: 'y' })],
    earlier,
  ).retry;
  expect(outcomes['close']?.result).toEqual({ was: 1 });
  expect(outcomes['move']?.result).toEqual([{ to: 'x' }, { to: 'y' }]);
});

test('an older run has its items in the record', () => {
  const item = { key: 'b', label: 'b', error: null, result: null };
  const items = [
    { ...item, state: 'done' as const, key: 'a' },
    { ...item, state: 'failed' as const },
  ];
  const left = leftOf(plan([move]), run([record('move', 'failed', { items })]), [], []);
  expect(does(left)).toEqual(['move items b']);
});
