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

/** `part`: of a cell that more than one test file fills. */
export function keep(cell: Cell, part = 'all'): void {
  mkdirSync(folder(), { recursive: true });
  const file = `${cell.row} ${cell.sweep} ${part}.json`.replaceAll('/', ' ');
  writeFileSync(join(folder(), file), JSON.stringify(cell));
}

export function keptCells(): Cell[] {
  mkdirSync(folder(), { recursive: true });
  const merged = new Map<string, Cell>();
  for (const file of readdirSync(folder())) {
    const cell = JSON.parse(readFileSync(join(folder(), file), 'utf8')) as Cell;
    const key = `${cell.row} ${cell.sweep}`;
    const other = merged.get(key);
    merged.set(key, other ? sumOf(other, cell) : cell);
  }
  return [...merged.values()];
}

function sumOf(one: Cell, other: Cell): Cell {
  const outcomes = { ...one.outcomes };
  for (const [how, often] of Object.entries(other.outcomes)) outcomes[how] = (outcomes[how] ?? 0) + often;
  return {
    ...one,
    wanted: one.wanted + other.wanted,
    met: one.met + other.met,
    outcomes,
    wrong: [...one.wrong, ...other.wrong],
  };
}
