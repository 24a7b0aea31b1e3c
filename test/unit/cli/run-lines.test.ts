import { expect, test } from 'vitest';
import type { RunItemRecord, RunStepRecord } from '../../../model/run.js';
import { liveLines, runChanges, runEnd } from '../../../cli/run-lines.js';
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
  ...of,
});

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
  const lines = views.map((one, index) => runChanges(views[index - 1], one));
  expect(lines).toEqual([
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
