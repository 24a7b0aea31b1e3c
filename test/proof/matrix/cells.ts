/** What the suites found, kept as files until the matrix is put together: one a cell. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Cell {
  row: string;
  sweep: string;
  /** Steps of all cases, times the variants of the sweep; and how many of them were met. */
  wanted: number;
  met: number;
  /** How they ended, and how often. */
  outcomes: Record<string, number>;
  /** Sentences of what did not hold. */
  wrong: string[];
}

/** Set by setup.ts. */
const folder = (): string => join(process.env['DROVER_PROOF_DIR'] ?? '', 'cells');

export function keep(cell: Cell): void {
  mkdirSync(folder(), { recursive: true });
  writeFileSync(join(folder(), `${cell.row} ${cell.sweep}.json`.replaceAll('/', ' ')), JSON.stringify(cell));
}

export function keptCells(): Cell[] {
  mkdirSync(folder(), { recursive: true });
  return readdirSync(folder()).map((file) => JSON.parse(readFileSync(join(folder(), file), 'utf8')) as Cell);
}
