import type { Command } from 'commander';
import { getHost, listHosts, removeHost } from '../../activities/inventory/hosts.js';
import type { Inventory } from '../../activities/inventory/database.js';
import { listIncidents } from '../../activities/inventory/incidents.js';
import { listInstances } from '../../activities/inventory/instances.js';
import { listOperations } from '../../activities/inventory/records.js';
import { lookAtHost } from '../../client/look-at.js';
import { mayOperate } from '../../client/permissions.js';
import { recorded } from '../../client/trail.js';
import type { Host } from '../../model/host.js';
import type { KeptDisk } from '../../activities/types.js';
import { withContext } from '../context.js';
import { addHostCommand } from '../add-host.js';
import { registerFenceCheck } from '../fence-check.js';
import { capacityCommand } from '../capacity-command.js';
import { historyColumns } from '../history.js';
import { registerHostRunbooks } from '../host-runbooks.js';
import { registerOperations } from '../operation-command.js';
import { printData, printList, printOne, write } from '../output.js';
import { paintState } from '../paint.js';
import { shortId } from '../texts.js';
import { hostDetails, hostView, operationView } from '../../client/views.js';

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
  // A reboot from here is the whole of it: the runbook, not the operation that needs an empty host.
  registerOperations(host, 'host', ['reboot']);
  await registerHostRunbooks(host, argv);
  registerFenceCheck(host);
  registerHistory(host);
  capacityCommand(host);
  host
    .command('remove')
    .description('Forget a host that has no instances; nothing is changed on the host itself.')
    .argument('<host>', 'name of the host')
    .action(async (name: string, _options: unknown, command: Command) => {
      await withContext(command, async (context) => {
        const found = await recorded(context, { action: 'host.remove', subject: name }, async () => {
          mayOperate(context);
          const meant = await getHost(context.inventory, name);
          await removeHost(context.inventory, name);
          return meant;
        });
        if (context.output.format !== 'table') return printData(context.output, hostView(found));
        return write(`host ${name} is removed from the inventory`);
      });
    });
}

function registerHistory(host: Command): void {
  host
    .command('history')
    .description('List what was done to a host itself, newest first.')
    .argument('<host>', 'name of the host')
    .option('--limit <number>', 'how many', '20')
    .action(async (name: string, _options: unknown, command: Command) => {
      await withContext(command, async ({ inventory, output }) => {
        await getHost(inventory, name);
        const limit = Number(command.opts<{ limit: string }>().limit) || 20;
        const rows = (await listOperations(inventory, { host: name, limit })).map(operationView);
        await printList(output, rows, historyColumns, `nothing was done to ${name} yet`);
      });
    });
}

type Row = ReturnType<typeof hostView>;
const columns = [
  { title: 'NAME', value: (row: Row) => row.name },
  { title: 'STATE', value: stateOf },
  { title: 'VCPUS', value: (row: Row) => `${row.vcpusUsed}/${row.vcpus}` },
  { title: 'MEMORY MiB', value: (row: Row) => `${row.memoryMiBUsed}/${row.memoryMiB}` },
  { title: 'SLOTS', value: (row: Row) => `${row.slotsUsed}/${row.slots}` },
  { title: 'INSTANCES', value: (row: Row) => row.instances },
  { title: 'DISABLED BECAUSE', value: (row: Row) => row.disabledReason },
];

function stateOf({ state, fence, enabled, maintenance, reserved, controlPlane }: Row): string {
  const also = { disabled: !enabled, maintenance, reserved, 'control plane': controlPlane };
  const seen = fenceText(fence, state) ?? state;
  return [paintState(seen), ...Object.entries(also).flatMap(([what, so]) => (so ? [what] : []))].join(', ');
}

/** Fenced it is to be silent; one that answers all the same is not used before it is readmitted. */
const fenceText = (fence: Host['fence'], state: Host['state']): 'fenced' | 'quarantined' | null =>
  fence === null ? null : state === 'up' ? 'quarantined' : 'fenced';

const pairs = (of: Record<string, string>): string | null =>
  Object.entries(of)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ') || null;

function maintenanceText({ maintenance }: Host): string {
  if (maintenance === null) return 'no';
  const { until, by, reason, run } = maintenance;
  return `until ${until}, by ${by}${run === null ? '' : ` (run ${shortId(run)})`}: ${reason}`;
}

function fenceLine({ name, fence, state }: Host): [string, string][] {
  if (fence === null) return [];
  const { incident, at, evidence } = fence;
  const since = `since ${at} (incident ${incident}): ${evidence.says}`;
  return [
    [fenceText(fence, state) ?? 'fenced', `${since}; once it is repaired: drover host readmit ${name}`],
  ];
}

/** What a host that is lost is told by; nothing of one that is well. */
async function lossLines(inventory: Inventory, { name, fence }: Host): Promise<[string, string][]> {
  const [incident] = await listIncidents(inventory, { host: name, open: true });
  const asks = incident && incident.waitsFor !== null ? `; it waits: ${incident.waitsFor}` : '';
  return [
    ...(incident === undefined
      ? []
      : [['incident', `${incident.id}, ${incident.state}${asks}`] satisfies [string, string]]),
    ...(fence === null
      ? []
      : [['fence', `${fence.state} since ${fence.at}: ${fence.evidence.says}`] satisfies [string, string]]),
  ];
}

/** What was terminated while it was fenced, and is stored there still. */
const keptLines = (kept: readonly KeptDisk[]): [string, string][] =>
  kept.length === 0
    ? []
    : [['removed once readmitted', kept.map(({ name, path }) => `${path} of ${name}`).join('\n')]];

async function show(name: string, command: Command): Promise<void> {
  await withContext(command, async ({ inventory, output }) => {
    const { host, instances, migrations, kept } = await lookAtHost(inventory, name);
    const names = new Map((await listInstances(inventory)).map((one) => [one.id, one.name]));
    const moving = migrations.map(
      (one) => `${names.get(one.instance) ?? one.instance}: ${one.source} -> ${one.target}`,
    );
    await printOne(output, hostDetails(host, instances, migrations, kept), [
      ['name', host.name],
      ['state', `${paintState(host.state)}${host.stateReason === null ? '' : `: ${host.stateReason}`}`],
      ...fenceLine(host),
      ['enabled', host.enabled ? 'yes' : `no: ${host.disabledReason ?? 'no reason given'}`],
      ['maintenance', maintenanceText(host)],
      ['uri', host.uri],
      ['last seen', host.lastSeenAt],
      ['system UUID', host.systemUuid],
      ['vCPUs', `${host.vcpusUsed} used of ${host.vcpus} (overcommit ${host.cpuOvercommit})`],
      [
        'memory',
        `${host.memoryMiBUsed} MiB used of ${host.memoryMiB} MiB (${host.memoryMiBReserved} MiB kept for the host)`,
      ],
      ['migration slots', `${host.slotsUsed} used of ${host.slots}`],
      ...(await lossLines(inventory, host)),
      ...keptLines(kept),
      ['zone', host.zone],
      ['reserved', host.reserved ? 'yes, for what is evacuated from lost hosts' : 'no'],
      ['control plane', host.controlPlane ? 'yes: it is never fenced' : 'no'],
      ['shared stores', pairs(host.storage)],
      ['networks', host.networks?.join(', ') ?? 'not known yet'],
      [
        'processors',
        host.cpu === null ? 'not known yet' : `${host.cpu.vendor} ${host.cpu.model}, ${host.cpu.arch}`,
      ],
      ['labels', pairs(host.labels)],
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
