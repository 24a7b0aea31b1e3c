/** `drover audit trail` and `drover audit verify`: who changed what, and whether that record is whole. */
import type { Command } from 'commander';
import { listTrail, verifyTrail, type TrailLine } from '../activities/inventory/trail.js';
import { DroverError } from '../model/errors.js';
import { parseDuration } from '../model/duration.js';
import { withContext } from './context.js';
import { printData, printList, write } from './output.js';

interface Filter {
  since?: string;
  by?: string;
  subject?: string;
  limit: string;
}

export function registerTrail(audit: Command): void {
  audit
    .command('trail')
    .description('List what was changed or refused, and by whom, newest first.')
    .option('--since <time>', 'from then on: a time such as 2026-11-01T00:00:00Z, or a length such as 24h')
    .option('--by <name>', 'what this person or token asked for')
    .option('--subject <name>', 'what was asked of this instance, host, run or runbook')
    .option('--limit <number>', 'how many', '100')
    .action((_options: unknown, command: Command) =>
      withContext(command, async ({ inventory, output }) => {
        const { since, by, subject, limit } = command.opts<Filter>();
        const from = since === undefined ? undefined : timeOf(since, Date.parse(inventory.now()));
        const lines = await listTrail(inventory, { since: from, by, subject, limit: Number(limit) || 100 });
        await printList(output, lines.map(lineView), columns, 'nothing was recorded that fits');
      }),
    );
  audit
    .command('verify')
    .description(
      'Check that no line of the audit trail was edited, removed or moved; exit code 1 if one was.',
    )
    .option('--head <hash>', 'of an earlier check: also finds out whether lines were removed at the end')
    .action((_options: unknown, command: Command) =>
      withContext(command, async ({ inventory, output }) => {
        const verdict = await verifyTrail(inventory, command.opts<{ head?: string }>());
        const { lines, head, broken } = verdict;
        if (broken !== null) process.exitCode = 1;
        if (output.format !== 'table') return printData(output, verdict);
        if (broken === null)
          return write(`${lines} lines are as they were written; head ${head ?? 'none yet'}`);
        const where = broken.seq === null ? 'the audit trail' : `line ${broken.seq} of the audit trail`;
        return write(`${where} is not as it was written: ${broken.why}`);
      }),
    );
}

const lineView = ({ details, ...line }: TrailLine) => ({
  ...line,
  details: JSON.parse(details) as Record<string, unknown>,
});

type Row = ReturnType<typeof lineView>;
const columns = [
  { title: 'SEQ', value: (row: Row) => row.seq },
  { title: 'AT', value: (row: Row) => row.at },
  { title: 'BY', value: (row: Row) => `${row.by} (${row.role})` },
  { title: 'VIA', value: (row: Row) => row.via },
  { title: 'ACTION', value: (row: Row) => row.action },
  { title: 'SUBJECT', value: (row: Row) => row.subject },
  { title: 'OUTCOME', value: (row: Row) => row.outcome },
];

function timeOf(text: string, now: number): string {
  const seconds = parseDuration(text);
  const time = seconds === undefined ? Date.parse(text) : now - seconds * 1000;
  if (Number.isFinite(time)) return new Date(time).toISOString();
  throw new DroverError('InvalidInput', `--since takes a time or a length of time, not "${text}"`, {
    hint: 'write it as 2026-11-01T00:00:00Z or 24h',
  });
}
