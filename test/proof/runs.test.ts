/** Runs of runbooks, through every trouble at each of their steps and each step of their children. */
import { describe, expect, test } from 'vitest';
import { keep } from './matrix/cells.js';
import { runCaseNames } from './runs/names.js';
import { runSweeps, sweepRun } from './runs/sweep-run.js';

describe.each(runCaseNames)('%s', (name) => {
  test.each(Object.keys(runSweeps))('%s', async (sweep) => {
    const cell = await sweepRun(name, sweep);
    keep(cell);
    expect(cell.wrong).toEqual([]);
    expect(cell.met).toBe(cell.wanted);
    expect(cell.wanted).toBeGreaterThan(0);
  });
});

test('a run whose operations are forgotten is found', async () => {
  const { wrong } = await sweepRun('within', 'terminate', (stage) =>
    stage.alter('control', (skills) => ({ ...skills, findOrphans: () => Promise.resolve([]) })),
  );
  expect(wrong.length).toBeGreaterThan(0);
});

test('a run that tells another end than its record has is found', async () => {
  const { wrong } = await sweepRun('together', 'unwind', (stage) =>
    stage.alter('control', (skills) => {
      const { finishRun } = skills;
      if (!finishRun) return skills;
      return { ...skills, finishRun: (end, call) => finishRun({ ...end, state: 'succeeded' }, call) };
    }),
  );
  expect(wrong.length).toBeGreaterThan(0);
});
