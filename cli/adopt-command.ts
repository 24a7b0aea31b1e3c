import type { Command } from 'commander';
import { mayOperate } from '../client/permissions.js';
import { recorded } from '../client/trail.js';
import { DroverError } from '../model/errors.js';
import { adopt, type Adopted } from './adopt.js';
import { withContext } from './context.js';
import { printList } from './output.js';
import { paintState } from './paint.js';

export function registerAdopt(instance: Command): void {
  instance
    .command('adopt')
    .description(
      'Take guests of a host into the inventory that are there already. The guests are not touched.',
    )
    .argument('<host>', 'name of the host')
    .argument('[guest...]', 'names or ids of guests, as the hypervisor knows them')
    .option('--all', 'all guests of the host')
    .option('--server-group <name>', 'the server group that they join')
    .option('--dry-run', 'tell what would be adopted, but do nothing')
    .action((host: string, guests: string[], _options: unknown, command: Command) =>
      run(host, guests, command),
    );
}

async function run(host: string, guests: string[], command: Command): Promise<void> {
  const {
    all = false,
    dryRun = false,
    serverGroup,
  } = command.opts<{ all?: boolean; dryRun?: boolean; serverGroup?: string }>();
  if (all === guests.length > 0) {
    throw new DroverError('InvalidInput', all ? 'guests are named and --all is given' : 'no guest is named', {
      hint: `name guests, or take them all: drover instance adopt ${host} --all`,
    });
  }
  await withContext(command, async (context) => {
    const { inventory, config } = context;
    const ask = { host, dataDir: config.data, names: all ? null : guests, dryRun, serverGroup };
    const work = (): Promise<Adopted[]> => {
      mayOperate(context);
      return adopt(inventory, ask);
    };
    const entry = { action: 'instance.adopt', subject: host, details: { guests, all, serverGroup } };
    const answers = dryRun ? await work() : await recorded(context, entry, work);
    await printList(context.output, answers, columns, `host ${host} has no guests`);
    const refused = answers.filter((one) => one.outcome === 'refused');
    const [first] = refused;
    if (!first?.error) return;
    const more = refused.length > 1 ? ` (and ${refused.length - 1} more)` : '';
    const { code, message, details, hint } = first.error;
    throw new DroverError(code, `${first.name} was not adopted: ${message}${more}`, { details, hint });
  });
}

const columns = [
  { title: 'NAME', value: (row: Adopted) => row.name },
  { title: 'OUTCOME', value: (row: Adopted) => paintState(row.outcome) },
  { title: 'STATE', value: (row: Adopted) => row.state },
  { title: 'ID', value: (row: Adopted) => row.id },
  {
    title: 'NOTE',
    value: (row: Adopted) => [...(row.error ? [row.error.message] : []), ...row.warnings].join('; ') || null,
  },
];
