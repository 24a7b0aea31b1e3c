import { expect, test } from 'vitest';
import { putTogether } from '../../../client/run-steps.js';
import type { OperationRecord } from '../../../model/operation.js';
import { pendingStep, type RunItemRow } from '../../../model/run.js';

const operation = (of: Partial<OperationRecord>): OperationRecord => ({
  id: 'o',
  kind: 'live-migrate',
  instance: 'i',
  host: 'alpha',
  state: 'succeeded',
  input: {},
  result: null,
  error: null,
  left: [],
  by: 'ann',
  workflowId: 'w',
  runId: 'r',
  run: 'run',
  step: 'move',
  item: 'i',
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:01.000Z',
  ...of,
});

const row = (of: Partial<RunItemRow>): RunItemRow => ({
  run: 'run',
  step: 'move',
  key: 'i',
  label: 'web',
  state: 'done',
  error: null,
  result: null,
  attempt: 1,
  endedAt: '2026-01-01T00:00:01.000Z',
  ...of,
});

test('an older run: its operations tell the steps', () => {
  const all = [
    operation({}),
    operation({ state: 'refused' }),
    operation({ state: 'running', endedAt: null }),
  ];
  const [step] = putTogether([], [], all, () => 'web');
  expect(step).toMatchObject({ id: 'move', state: 'running', done: 1, refused: 1, failed: 0, total: 3 });
  expect(step?.items.map((item) => item.state)).toEqual(['done', 'refused']);
});

test('rows tell what ended, operations what is under way; what ended is counted once; the plan gives the order', () => {
  const planned = [pendingStep('close', 'Close'), pendingStep('move', 'Move'), pendingStep('tell', 'Tell')];
  const steps = putTogether(
    planned,
    [row({ step: 'close', key: 'close' }), row({}), row({ key: 'j', label: 'db', state: 'not-started' })],
    [
      operation({ step: 'close', item: null }),
      operation({}),
      operation({ item: 'k', state: 'unwinding', endedAt: null }),
    ],
    () => 'cache',
  );
  expect(steps).toMatchObject([
    { id: 'close', state: 'running', done: 1, total: 1 },
    { id: 'move', name: 'Move', state: 'running', done: 1, failed: 1, total: 3 },
    { id: 'tell', state: 'pending', total: 0 },
  ]);
  expect(steps[1]?.items.map(({ label, state }) => `${label} ${state}`)).toEqual([
    'web done',
    'db not-started',
  ]);
});
