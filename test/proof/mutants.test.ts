/** The proof is proven: each sweep finds the fault that was made for it, and the matrix its holes. */
import { afterEach, describe, expect, test } from 'vitest';
import { operations } from '../../workflows/catalogue.js';
import { operationKey, type Operation } from '../../workflows/define.js';
import type { Cell } from './matrix/cells.js';
import { mutants } from './mutants.js';
import { columns, matrixOf } from './matrix/matrix.js';
import { rows, unmatched } from './rows.js';
import { runSweep } from './run-sweep.js';
import { sweeps } from './sweeps/kinds.js';

/** Nobody changes it but a test that puts a fault in. */
const catalogue = operations as Map<string, Operation>;
const shipped = new Map(operations);
afterEach(() => {
  catalogue.clear();
  for (const [key, operation] of shipped) catalogue.set(key, operation);
});

test('each sweep has its mutant', () => {
  const met = new Set(mutants.map(({ sweep }) => sweep));
  expect(sweeps.map(({ name }) => name).filter((name) => !met.has(name))).toEqual([]);
});

describe.each(mutants)('$name', ({ operation, title, sweep, define, prepare }) => {
  test(`is found by the sweep`, async () => {
    const plain = operations.get(operation);
    if (plain && define) catalogue.set(operation, define(plain));
    const row = (await rows()).find((each) => each.operation === operation);
    const kind = sweeps.find(({ name }) => name === sweep);
    if (!row || !kind) throw new Error(`no row ${operation}, or no sweep ${sweep}`);
    const one = { operation, cases: row.cases.filter((each) => each.title.includes(title)) };
    const { wrong, met } = await runSweep(one, kind, prepare);
    expect(met).toBeGreaterThan(0);
    expect(wrong.length).toBeGreaterThan(0);
  });
});

test('every operation of the catalogue has its row, and nothing else has one', () => {
  expect(unmatched()).toEqual([]);
});

test('an operation without its row fails, and the file to write is named', async () => {
  const [some] = shipped.values();
  if (!some) throw new Error('the catalogue is empty');
  const fresh = { ...some, name: 'fly' };
  catalogue.set(operationKey(fresh), fresh);
  expect(unmatched()).toEqual([expect.stringContaining('write test/proof/cases/host.fly.ts')]);
  await expect(rows()).rejects.toThrow('write test/proof/cases/host.fly.ts');
});

test('a cell that is empty, met too few steps, or found something is a hole', () => {
  const cell = { row: 'it', wanted: 4, met: 4, outcomes: {}, wrong: [] };
  const full = columns.map((sweep) => ({ ...cell, sweep }));
  const but = (change: Partial<Cell>) =>
    matrixOf(['it'], [{ ...cell, sweep: 'unwind', ...change }, ...full.slice(1)]).holes;
  expect(matrixOf(['it'], full).holes).toEqual([]);
  expect(matrixOf(['it'], full.slice(1)).holes).toEqual(['it, unwind: nothing was swept']);
  expect(but({ met: 3 })).toEqual(['it, unwind: 3 of 4 steps were met']);
  expect(but({ wrong: ['lost'] })).toEqual(['it, unwind: 1 times something did not hold']);
});
