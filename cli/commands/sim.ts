import type { Command } from 'commander';
import { systemClock } from '../../activities/clock.js';
import { planFaults } from '../../activities/simulator/faults.js';
import { generations } from '../../activities/simulator/machine.js';
import { openDatacenters } from '../../activities/simulator/folder.js';
import { blindVantages } from '../../activities/simulator/sight.js';
import { hostStatuses, pendingFaults, type HostStatus } from '../../activities/simulator/status.js';
import { mayOperate } from '../../client/permissions.js';
import { recorded } from '../../client/trail.js';
import { withContext } from '../context.js';
import { note, outputOf, printData, printList, write } from '../output.js';
import { paintState } from '../paint.js';
import { bmcWords, registerBmc } from '../sim-bmc.js';
import { createSimulation } from '../sim-create.js';
import { chosen, inDatacenter, whole, withDatacenter } from '../sim-datacenter.js';
import { registerFaults } from '../sim-faults.js';
import { readScenario } from '../sim-scenario.js';

export function register(sim: Command): void {
  withDatacenter(sim.command('create'))
    .description('Make simulated hosts with guests, and take them into the inventory.')
    .option('--hosts <number>', 'how many hosts to add', '6')
    .option('--instances <number>', 'how many guests to add, spread over those hosts', '40')
    .option('--racks <number>', 'over how many racks the hosts are spread', '2')
    .option('--zones <number>', 'over how many zones the racks are spread', '1')
    .option('--generations <number>', 'how many generations of processors the hosts have', '1')
    .action((_options: unknown, command: Command) => create(command));
  withDatacenter(sim.command('status'))
    .description('List the simulated hosts: how they are, what runs there, what is planned.')
    .action((_options: unknown, command: Command) => status(command));
  registerFaults(sim);
  registerBmc(sim);
  withDatacenter(sim.command('apply'))
    .description('Begin a scenario: a YAML list of faults, each with its time from now.')
    .argument('<file>', 'the scenario')
    .action((file: string, _options: unknown, command: Command) => apply(file, command));
}

async function create(command: Command): Promise<void> {
  const options = command.opts<
    Record<'hosts' | 'instances' | 'racks' | 'zones' | 'generations', string> & { datacenter?: string }
  >();
  const wanted = {
    hosts: whole('hosts', options.hosts, 0),
    instances: whole('instances', options.instances, 0),
    racks: whole('racks', options.racks, 1),
    zones: whole('zones', options.zones, 1),
    generations: Math.min(generations, whole('generations', options.generations, 1)),
  };
  await withContext(command, async (context) => {
    await recorded(
      context,
      { action: 'sim.create', subject: options.datacenter ?? '', details: wanted },
      async () => {
        mayOperate(context);
        const datacenters = openDatacenters(context.config.data, systemClock);
        try {
          const datacenter = datacenters.make(chosen(datacenters, options.datacenter));
          const made = await createSimulation(context, datacenter, wanted);
          if (context.output.format !== 'table') return await printData(context.output, made);
          write(
            `datacenter ${made.datacenter}: ${made.hosts.length} hosts and ${made.instances} instances were added`,
          );
          return note('next: drover host list, drover instance list, drover sim status');
        } finally {
          datacenters.close();
        }
      },
    );
  });
}

const columns = [
  { title: 'NAME', value: (row: HostStatus) => row.name },
  { title: 'STATE', value: (row: HostStatus) => paintState(row.state) },
  { title: 'RACK', value: (row: HostStatus) => row.rack },
  { title: 'RUNNING', value: (row: HostStatus) => `${row.running}/${row.guests}` },
  { title: 'OUT', value: (row: HostStatus) => row.migrationsOut },
  { title: 'IN', value: (row: HostStatus) => row.migrationsIn },
  { title: 'FAULTS', value: (row: HostStatus) => faultsOf(row) },
];

function faultsOf({ cutFrom, slowSeconds, bandwidth, bmc }: HostStatus): string | null {
  const faults = [
    ...(cutFrom.length > 0 ? [`does not reach ${cutFrom.join(', ')}`] : []),
    ...(slowSeconds > 0 ? [`calls take ${slowSeconds} s longer`] : []),
    ...(bandwidth === null ? [] : [`migrates with ${Number(bandwidth.toFixed(1))} MiB/s`]),
    ...(bmc === 'ok'
      ? []
      : [`its BMC ${bmc === 'swapped' ? 'has the power of another host' : bmcWords[bmc]}`]),
  ];
  return faults.join('; ') || null;
}

async function status(command: Command): Promise<void> {
  await inDatacenter(command, async (datacenter) => {
    const [hosts, pending, blind] = await datacenter.transact((tx) => [
      hostStatuses(tx, datacenter.name),
      pendingFaults(tx),
      blindVantages(tx),
    ]);
    await printList(outputOf(command), hosts, columns, 'no hosts: add some with `drover sim create`');
    for (const [vantage, unseen] of blind)
      note(`the vantage point ${vantage} does not see ${unseen?.join(', ') ?? 'any host'}`);
    for (const { at, what } of pending) note(`${at ?? 'at that call'}: ${JSON.stringify(what)}`);
  });
}

async function apply(file: string, command: Command): Promise<void> {
  await inDatacenter(command, async (datacenter) => {
    const hosts = await datacenter.transact((tx) => hostStatuses(tx, datacenter.name));
    const faults = await readScenario(file, {
      hosts: hosts.map(({ name }) => name),
      racks: [...new Set(hosts.map(({ rack }) => rack))],
    });
    await datacenter.transact((tx) => planFaults(tx, faults));
    const output = outputOf(command);
    if (output.format !== 'table') return printData(output, await datacenter.transact(pendingFaults));
    return write(`${faults.length} faults are planned; they come by themselves`);
  });
}
