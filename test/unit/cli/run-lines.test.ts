import { expect, test } from 'vitest';
import type { ApprovalRecord, RunItemRecord, RunItemRow, RunStepRecord } from '../../../model/run.js';
import { liveLines, runEnd, runTeller } from '../../../cli/run-lines.js';
import type { RunningItem, RunView } from '../../../client/run-view.js';

const step = (of: Partial<RunStepRecord>): RunStepRecord => ({
  id: 'move',
  name: 'Move all',
  state: 'running',
  done: 0,
  failed: 0,
  refused: 0,
  total: 2,
  error: null,
  items: [],
  ...of,
});

const view = (of: Partial<RunView>): RunView => ({
  id: 'run-1',
  runbook: 'drain-host',
  state: 'running',
  phase: 'move',
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: null,
  steps: [],
  workflowUrl: 'http://ui/run-1',
  by: 'ann',
  inputs: { host: 'alpha' },
  outputs: {},
  undone: [],
  digest: 'd',
  error: null,
  running: [],
  notes: [],
  parent: null,
  retryOf: null,
  retriedBy: null,
  actions: [],
  paused: null,
  waits: [],
  subRuns: [],
  certain: true,
  ...of,
});

/** What is told at each look. */
const tellAll = (views: RunView[], ended: RunItemRow[][] = []): string[][] => {
  const tell = runTeller();
  return views.map((one, index) => tell({ view: one, ended: ended[index] ?? [] }));
};

const moving = (percent: number | null, trouble: string | null = null): RunningItem => ({
  operation: 'o1',
  kind: 'live-migrate',
  label: 'web',
  host: 'alpha',
  phase: 'moving',
  percent,
  trouble,
});

test('each change is a line, and nothing is said twice', () => {
  const error = {
    code: 'NoValidHost' as const,
    message: 'no host can take db:\n  beta: full\n  gamma: off',
    details: {},
    hint: '',
  };
  const refused: RunItemRecord = { key: 'b', label: 'db', state: 'refused', error, result: null };
  const done: RunItemRecord = {
    key: 'a',
    label: 'web',
    state: 'done',
    error: null,
    result: { from: 'alpha', to: 'beta', downtimeMs: 31 },
  };
  const views = [
    view({}),
    view({ steps: [step({})], running: [moving(3)] }),
    view({ steps: [step({})], running: [moving(3)] }),
    view({ steps: [step({})], running: [moving(60)], notes: ['no worker runs'] }),
    view({ steps: [step({})], running: [moving(62, 'migrateGuest, attempt 2: gone')] }),
    view({ steps: [step({ refused: 1, done: 1, state: 'failed', items: [refused, done] })] }),
  ];
  expect(tellAll(views)).toEqual([
    ['run run-1: drain-host host=alpha, started by ann', 'http://ui/run-1'],
    ['step move: Move all', 'step move: 2 to do', '  web: live-migrate on alpha', '  web: moving'],
    [],
    ['note: no worker runs', '  web: moving 50 %'],
    ['note: in touch again', '  web: tried again: migrateGuest, attempt 2: gone'],
    [
      '  db: refused: no host can take db: beta: full; gamma: off',
      '  web: done, alpha -> beta, downtime 31 ms',
      'step move: failed, 1 of 2 done, 1 refused',
    ],
  ]);
});

test('on a terminal what is under way stays at the end of the screen', () => {
  const lines = liveLines(
    view({ steps: [step({ done: 1 })], running: [moving(50), { ...moving(null), label: 'db' }] }),
  );
  expect(lines[0]).toMatch(/^move, 1 of 2 done \(.*\)$/);
  expect(lines.slice(1)).toEqual(['web: moving ██████████░░░░░░░░░░  50 %', 'db: moving']);
});

test('the end tells the outputs and what was taken back', () => {
  const ended = view({
    state: 'cancelled',
    endedAt: '2026-01-01T00:01:05.000Z',
    outputs: { moved: 1 },
    undone: ['host.enable alpha: done'],
  });
  expect(runEnd(ended)).toBe('run run-1: cancelled after 1m5s: moved 1; taken back: host.enable alpha: done');
  expect(liveLines(ended)).toEqual([]);
});

const row = (of: Partial<RunItemRow>): RunItemRow => ({
  run: 'run-1',
  step: 'move',
  key: 'a',
  label: 'web',
  state: 'done',
  error: null,
  result: null,
  attempt: 1,
  endedAt: '2026-01-01T00:00:01.000Z',
  ...of,
});

test('a look that could not ask is no change, and the way back says nothing twice', () => {
  const known = view({ steps: [step({ done: 1 })], running: [moving(60)] });
  const rows = [
    step({ id: 'disable', name: 'host.disable', done: 1, total: 1 }),
    step({ done: 1, total: 1 }),
  ];
  const unknown = view({
    certain: false,
    steps: rows,
    running: [{ ...moving(null), phase: null }],
    notes: ['no worker answers'],
  });
  const after = view({ steps: [step({ done: 2, state: 'succeeded' })] });
  const [first, ...rest] = tellAll(
    [known, unknown, unknown, known, after],
    [[row({})], [row({}), row({ key: 'b', label: 'db' })], [], [row({})], []],
  );
  expect(first).toContain('  web: done');
  expect(rest).toEqual([
    ['note: no worker answers'],
    [],
    ['note: in touch again', '  db: done'],
    ['step move: succeeded, 2 of 2 done'],
  ]);
});

test('a watch that begins late tells of many items only those with trouble', () => {
  const many = Array.from({ length: 60 }, (_, index) => row({ key: `k${index}`, label: `i${index}` }));
  const cancelled = row({ key: 'x', label: 'odd', state: 'cancelled' });
  const running = view({ steps: [step({ done: 60, failed: 1, total: 90 })] });
  const late = row({ key: 'y', label: 'late' });
  const [first, second] = tellAll([running, running], [[...many, cancelled], [late]]);
  expect(first?.filter((line) => line.startsWith('  '))).toEqual(['  odd: cancelled: no reason recorded']);
  expect(second).toEqual(['  late: done']);
});

const approval: ApprovalRecord = {
  state: 'waiting',
  needed: 2,
  from: [],
  until: '2026-01-02T00:00:00.000Z',
  message: 'Go?',
  targets: [],
  targetCount: 0,
  approvals: [],
  rejection: null,
};

test('a wait is told once with what to do, and each thing that somebody does once', () => {
  const wait = { run: 'run-1', step: 'go', name: 'Go', approval };
  const gate = step({ id: 'go', name: 'Go', state: 'waiting', total: 0, approval });
  const by = { run: 'run-1', step: 'go', details: {} };
  const approved = { ...by, at: 't1', by: 'bob', action: 'approve' as const, comment: 'looks good' };
  const paused = { ...by, at: 't2', by: 'ann', action: 'pause' as const, step: null, comment: null };
  const started = { ...by, at: 't0', by: 'ann', action: 'start' as const, step: null, comment: null };
  const one = view({ steps: [gate], waits: [wait], actions: [started] });
  const [first, ...rest] = tellAll([
    one,
    one,
    { ...one, actions: [started, approved] },
    { ...one, actions: [started, approved, paused], paused: { by: 'ann', at: 't2', reason: null } },
  ]);
  expect(first?.at(-1)).toMatch(
    /^step go: waits for approval, 2 are needed, none given, until .* \(over\): drover run approve run-1$/,
  );
  expect(rest).toEqual([[], ['bob approved step go: "looks good"'], ['ann paused it']]);
});

test('of several that wait each is told with its step; one of a run within it with that run', () => {
  const waits = [
    { run: 'run-1', step: 'go', name: 'Go', approval },
    { run: 'run-1', step: 'come', name: 'Come', approval },
    { run: 'run-2', step: 'go', name: 'Go', approval },
  ];
  const [lines = []] = tellAll([view({ waits })]);
  expect(lines.map((line) => line.replace(/^(.*?:).*: drover/, '$1 drover')).slice(2)).toEqual([
    'step go: drover run approve run-1 --step go',
    'step come: drover run approve run-1 --step come',
    'step go of run run-2: drover run approve run-2',
  ]);
});

test('a run within it is told when it begins, goes on and ends', () => {
  const sub = { id: 'run-2', runbook: 'undrain', step: 'back', startedAt: '', endedAt: null };
  const at = (phase: string | null) => view({ subRuns: [{ ...sub, state: 'running', phase }] });
  const ended = view({ subRuns: [{ ...sub, state: 'succeeded', phase: null }] });
  const [, ...rest] = tellAll([view({}), at(null), at('move'), at('move'), ended, ended]);
  expect(rest).toEqual([
    ['  back: run run-2 of undrain began'],
    ['  back: run run-2 of undrain: move'],
    [],
    ['  back: run run-2 of undrain: succeeded'],
    [],
  ]);
});
