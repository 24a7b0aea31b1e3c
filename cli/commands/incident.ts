import type { Command } from 'commander';
import { cancelIncident, answerIncident, type IncidentAction } from '../../client/incident-asks.js';
import { getIncidentView, listIncidentViews } from '../../client/incidents.js';
import { withContext } from '../context.js';
import { incidentLines } from '../incident-text.js';
import { printData, printList, printOne, write } from '../output.js';
import { spanText } from '../texts.js';

const named = [
  '<incident>',
  'id of the incident, its first characters (at least 4), or the name of its host',
] as const;

export function register(incident: Command): void {
  incident
    .command('list')
    .description('List the incidents, newest first.')
    .option('--open', 'only those that have not ended')
    .option('--host <name>', 'only those of this host')
    .action((_options: unknown, command: Command) =>
      withContext(command, async ({ inventory, output }) => {
        const rows = await listIncidentViews(inventory, command.opts<{ open?: true; host?: string }>());
        await printList(output, rows, columns, 'no incidents');
      }),
    );
  incident
    .command('show')
    .description(
      'Show one incident: what was seen, what proves that the host is off, its instances, its log.',
    )
    .argument(...named)
    .action((id: string, _options: unknown, command: Command) =>
      withContext(command, async ({ inventory, output }) => {
        const found = await getIncidentView(inventory, id);
        await printOne(output, found, incidentLines(found));
      }),
    );
  for (const [action, description] of Object.entries(answers)) {
    incident
      .command(action)
      .description(description)
      .argument(...named)
      .option('--comment <text>', 'what you know; kept with your answer')
      .action((id: string, _options: unknown, command: Command) =>
        withContext(command, async (context) => {
          const found = await getIncidentView(context.inventory, id);
          const { comment = null } = command.opts<{ comment?: string }>();
          const { said } = await answerIncident(context, found, action as IncidentAction, comment);
          if (context.output.format === 'table') return write(said);
          return printData(context.output, { incident: found.id, host: found.host, action, said });
        }),
      );
  }
  incident
    .command('cancel')
    .description('End a recovery: what is fenced stays so, what is on its way ends by itself.')
    .argument(...named)
    .action((id: string, _options: unknown, command: Command) =>
      withContext(command, async (context) => {
        const found = await getIncidentView(context.inventory, id);
        await cancelIncident(context, found);
        const said = `the recovery of ${found.host} ends; see \`drover incident show ${found.id}\``;
        if (context.output.format === 'table') return write(said);
        return printData(context.output, { incident: found.id, host: found.host, action: 'cancel', said });
      }),
    );
}

const answers: Record<IncidentAction, string> = {
  approve: 'Approve what a recovery asks for: a fence, or to pass the storm brake (administrators).',
  reject: 'Reject what a recovery asks for: it ends, and the host is left alone.',
  attest:
    'Say that a host is off, where nothing else proves it; for administrators. Look at the host first: two copies of a guest destroy its disk.',
};

type Row = Awaited<ReturnType<typeof listIncidentViews>>[number];
const columns = [
  { title: 'ID', value: (row: Row) => row.id },
  { title: 'HOST', value: (row: Row) => row.host },
  { title: 'STATE', value: (row: Row) => row.state },
  { title: 'OPENED', value: (row: Row) => row.openedAt },
  { title: 'TOOK', value: (row: Row) => spanText(row.openedAt, row.endedAt) },
  { title: 'INSTANCES', value: (row: Row) => row.counts },
  { title: 'WAITS FOR', value: (row: Row) => row.waitsFor },
];
