/** Writes the last report into docs/soak.md, between its two marks. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import type { Tally } from './tally.js';

const page = 'docs/soak.md';
const marks = ['<!-- report -->', '<!-- end of report -->'] as const;

export function writeReport(tally: Tally): void {
  const text = readFileSync(page, 'utf8');
  const [head, rest] = text.split(marks[0], 2);
  const tail = rest?.split(marks[1], 2)[1];
  if (head === undefined || tail === undefined)
    throw new Error(`${page} has lost its marks ${marks.join(' … ')}`);
  writeFileSync(page, `${head}${marks[0]}\n\n${reportOf(tally)}\n\n${marks[1]}${tail}`);
}

function reportOf({ seeds, cases, operations, runs, virtualMs, realMs, troubles, failed }: Tally): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const day = new Date().toISOString().slice(0, 10);
  const rows: [string, string][] = [
    ['commit', `${commit}, ${day}`],
    ['seeds', `${seeds[0]} to ${seeds[1]}`],
    ['cases', String(cases)],
    ['operations', String(operations)],
    ['runs of runbooks', String(runs)],
    ['virtual time', `${(virtualMs / 3_600_000).toFixed(1)} h`],
    ['real time', `${(realMs / 60_000).toFixed(1)} min, load average ${loadavg()[0]?.toFixed(1)} at the end`],
    ['failing seeds', failed.join(', ') || 'none'],
    ...[...troubles]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([kind, count]): [string, string] => [kind, `${count} times`]),
  ];
  return ['| | |', '| --- | --- |', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
}
