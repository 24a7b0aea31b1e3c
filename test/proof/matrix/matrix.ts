/** The matrix: operations and runs by sweeps; each cell says how many steps were met, of those that there are. */
import type { Cell } from './cells.js';

/** In the order in which they are shown. */
export const columns = [
  'unwind',
  'repeat',
  'lost answer',
  'cancel',
  'second owner',
  'terminate',
  'reset',
  'worker dies',
  'SIGKILL',
];

/** A run owns nothing that another could take over: its operations do. */
const isNone = (row: string, sweep: string): boolean => row.startsWith('run: ') && sweep === 'second owner';

/** `holes`: sentences of cells that are empty, or that met fewer steps than there are. */
export function matrixOf(
  rows: readonly string[],
  cells: readonly Cell[],
  shown: readonly string[] = columns,
): { text: string; holes: string[] } {
  const holes: string[] = [];
  const told = (row: string, sweep: string): string => {
    const cell = cells.find((each) => each.row === row && each.sweep === sweep);
    if (!cell && isNone(row, sweep)) return '-';
    if (!cell || cell.wanted === 0) {
      holes.push(`${row}, ${sweep}: nothing was swept`);
      return '';
    }
    const { met, wanted, wrong } = cell;
    if (met < wanted) holes.push(`${row}, ${sweep}: ${met} of ${wanted} steps were met`);
    if (wrong.length > 0) holes.push(`${row}, ${sweep}: ${wrong.length} times something did not hold`);
    return `${met}/${wanted}${wrong.length > 0 ? '!' : ''}`;
  };
  const lines = [['', ...shown], ...rows.map((row) => [row, ...shown.map((sweep) => told(row, sweep))])];
  const widths = ['', ...shown].map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const padded = (line: string[]) =>
    line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
  return { text: lines.map((line) => padded(line).join('  ').trimEnd()).join('\n'), holes };
}
