/** The matrix of the lab, for scripts/test.mjs to print at its end; otherwise it is printed at once. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cell } from '../../proof/matrix/cells.js';
import { matrixOf } from '../../proof/matrix/matrix.js';
import type { KillCase } from './cases.js';
import { killFaults } from './faults.js';
import type { Fate } from './ride.js';

/** Answers what is not complete. */
export function tellMatrix(cases: readonly KillCase[], fates: readonly Fate[]): string[] {
  const rows = cases.map(({ row }) => row);
  const cells = rows.flatMap((row) => killFaults.map((fault) => cellOf(row, fault, fates)));
  const { text, holes } = matrixOf(rows, cells, killFaults);
  const folder = process.env['DROVER_PROOF_DIR'];
  if (folder) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'lab-matrix.txt'), `${text}\n`);
  } else console.log(text);
  return holes;
}

function cellOf(row: string, sweep: string, fates: readonly Fate[]): Cell {
  const these = fates.filter((fate) => fate.row === row && fate.fault === sweep);
  const outcomes: Cell['outcomes'] = {};
  for (const { end } of these) outcomes[end] = (outcomes[end] ?? 0) + 1;
  const met = these.filter((fate) => fate.met).length;
  return { row, sweep, wanted: these.length, met, outcomes, wrong: these.flatMap(({ wrong }) => wrong) };
}
