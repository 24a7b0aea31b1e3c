import type { Command } from 'commander';
import { getHost, listHosts, removeHost } from '../../activities/inventory/hosts.js';
import { listInstances } from '../../activities/inventory/instances.js';
import { listMigrations } from '../../activities/inventory/records.js';
import { mayOperate } from '../../client/ask.js';
import { withContext } from '../context.js';
import { addHostCommand } from '../add-host.js';
import { registerDrain } from '../drain.js';
import { registerOperations } from '../operation-command.js';
import { printData, printList, printOne, write } from '../output.js';
import { paintState } from '../paint.js';
import { hostDetails, hostView } from '../views.js';

export async function register(host: Command, argv: readonly string[]): Promise<void> {
  addHostCommand(host);
  host
    .command('list')
    .description('List the hosts, with what is in use on each.')
    .option('--enabled', 'only those that take new instances')
    .action(async (_options: unknown, command: Command) => {
      const enabled = command.opts<{ enabled?: true }>().enabled;
      await withContext(command, async ({ inventory, output }) => {
        const hosts = (await listHosts(inventory, { enabled })).map(hostView);
        await printList(
          output,
          hosts,
          columns,
          'no hosts yet: add one with `drover host add NAME --uri URI`',
        );
      });
    });
  host
    .command('show')
    .description('Show one host: capacity, migration slots, its instances.')
    .argument('<host>', 'name of the host')
    .action((name: string, _options: unknown, command: Command) => show(name, command));
  registerOperations(host, 'host', []);
  await registerDrain(host, argv);
  host
    .command('remove')
    .description('Forget a host that has no instances; nothing is changed on the host itself.')
    .argument('<host>', 'name of the host')
    .action(async (name: string, _options: unknown, command: Command) => {
      await withContext(command, async (context) => {
        mayOperate(context);
        const found = await getHost(context.inventory, name);
        await removeHost(context.inventory, name);
        if (context.output.format !== 'table') return printData(context.output, hostView(found));
        return write(`host ${name} is removed from the inventory`);
      });
    });
}

type Row = ReturnType<typeof hostView>;
const columns = [
  { title: 'NAME', value: (row: Row) => row.name },
  { title: 'STATE', value: (row: Row) => `${paintState(row.state)}${row.enabled ? '' : ', disabled'}` },
  { title: 'VCPUS', value: (row: Row) => `${row.vcpusUsed}/${row.vcpus}` },
  { title: 'MEMORY MiB', value: (row: Row) => `${row.memoryMiBUsed}/${row.memoryMiB}` },
  { title: 'SLOTS', value: (row: Row) => `${row.slotsUsed}/${row.slots}` },
  { title: 'INSTANCES', value: (row: Row) => row.instances },
  { title: 'DISABLED BECAUSE', value: (row: Row) => row.disabledReason },
];

async function show(name: string, command: Command): Promise<void> {
  await withContext(command, async ({ inventory, output }) => {
    const host = await getHost(inventory, name);
    const instances = await listInstances(inventory, { host: name });
    const migrations = (await listMigrations(inventory, { limit: 500 })).filter(
      (one) => one.state === 'running' && (one.source === name || one.target === name),
    );
    const names = new Map((await listInstances(inventory)).map((one) => [one.id, one.name]));
    const moving = migrations.map(
      (one) => `${names.get(one.instance) ?? one.instance}: ${one.source} -> ${one.target}`,
    );
    await printOne(output, hostDetails(host, instances, migrations), [
      ['name', host.name],
      ['state', `${paintState(host.state)}${host.stateReason === null ? '' : `: ${host.stateReason}`}`],
      ['enabled', host.enabled ? 'yes' : `no: ${host.disabledReason ?? 'no reason given'}`],
      ['uri', host.uri],
      ['last seen', host.lastSeenAt],
      ['system UUID', host.systemUuid],
      ['vCPUs', `${host.vcpusUsed} used of ${host.vcpus} (overcommit ${host.cpuOvercommit})`],
      [
        'memory',
        `${host.memoryMiBUsed} MiB used of ${host.memoryMiB} MiB (${host.memoryMiBReserved} MiB kept for the host)`,
      ],
      ['migration slots', `${host.slotsUsed} used of ${host.slots}`],
      [
        'labels',
        Object.entries(host.labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(' ') || null,
      ],
      ['migrations', moving.join('\n') || 'none runs'],
      [
        'instances',
        instances
          .map((one) => `${one.name} (${one.state}${one.task === null ? '' : `, ${one.task}`})`)
          .join('\n') || 'none',
      ],
    ]);
  });
}
