import type { Command } from 'commander';
import { addHost, getHost, listHosts, recordProbe } from '../activities/inventory/hosts.js';
import type { HostFacts } from '../activities/hypervisor/port.js';
import { mayOperate } from '../client/permissions.js';
import { recorded } from '../client/trail.js';
import { datacenterOf } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { Host, HostRef } from '../model/host.js';
import { withContext } from './context.js';
import { printData, write } from './output.js';
import { toNumber, toPairs } from './schema-options.js';
import { hostDetails } from '../client/views.js';

const collect = (value: string, before: string[]): string[] => [...before, value];

export function addHostCommand(parent: Command): void {
  parent
    .command('add')
    .description('Take a host into the inventory. It is asked how large it is; its guests are left alone.')
    .argument('<name>', 'the name to give it')
    .requiredOption(
      '--uri <uri>',
      'how libvirt reaches it, such as qemu+ssh://root@host1/system; sim://sim/host-1 is a simulated host',
    )
    .option('--slots <number>', 'live migrations, in and out, that it may run at a time', '2')
    .option('--cpu-overcommit <factor>', 'vCPUs to place for each of its CPUs', '4')
    .option('--reserve <MiB>', 'memory to keep for the host itself', '512')
    .option('--label <key=value>', 'a label; may be given more than once', collect, [])
    .option('--zone <zone>', 'its zone: hosts that fail together')
    .option(
      '--storage <name=directory>',
      'a shared store and where it is mounted; may be given more than once',
      collect,
      [],
    )
    .action(async (name: string, _options: unknown, command: Command) => add(name, command));
}

async function add(name: string, command: Command): Promise<void> {
  const options = command.opts<{
    uri: string;
    slots: string;
    cpuOvercommit: string;
    reserve: string;
    label: string[];
    zone?: string;
    storage: string[];
  }>();
  const settings = {
    slots: atLeast('slots', options.slots, 1, true),
    cpuOvercommit: atLeast('cpu-overcommit', options.cpuOvercommit, 0.1, false),
    memoryMiBReserved: atLeast('reserve', options.reserve, 0, true),
    labels: toPairs('label', options.label),
    zone: options.zone ?? null,
    storage: directories(toPairs('storage', options.storage)),
  };
  const host = { name: checkedName(name), uri: checkedUri(options.uri) };
  await withContext(command, async (context) => {
    const { inventory, output } = context;
    const details = { ...host, ...settings };
    const facts = await recorded(context, { action: 'host.add', subject: name, details }, async () => {
      mayOperate(context);
      const before = await listHosts(inventory);
      const same = before.find((one) => one.name === name);
      if (same) {
        throw new DroverError('AlreadyExists', `there is a host "${name}" already, at ${same.uri}`, {
          hint: 'choose another name, or remove the other one with `drover host remove`',
        });
      }
      const found = await probe(host, context.config.data);
      refuseTwin(host, found, before);
      await addHost(inventory, { ...host, ...settings });
      await recordProbe(inventory, name, { up: true, facts: found });
      return found;
    });
    const added = await getHost(inventory, name);
    if (output.format !== 'table') return printData(output, hostDetails(added, [], []));
    write(`host ${name} added: ${facts.vcpus} CPUs, ${facts.memoryMiB} MiB, ${facts.hypervisor}`);
    return write(`take its guests into the inventory with \`drover instance adopt ${name} --all\``);
  });
}

function directories(storage: Record<string, string>): Record<string, string> {
  for (const [name, directory] of Object.entries(storage)) {
    if (directory.startsWith('/')) continue;
    throw new DroverError('InvalidInput', `--storage ${name}=${directory}: a directory begins with /`);
  }
  return storage;
}

async function probe(host: HostRef, dataDir: string): Promise<HostFacts> {
  const { hypervisor } = await import('../worker/ports.js');
  try {
    return await hypervisor(dataDir).facts(host);
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    throw new DroverError(error.code, `host ${host.name} was not added: ${error.message}`, {
      details: { ...error.details, host: host.name, uri: host.uri },
      hint:
        datacenterOf(host.uri) === null
          ? `check that \`virsh --connect ${host.uri} version\` works from this machine`
          : 'see `drover sim status` for what is wrong with it',
    });
  }
}

/** One machine under two names would be taken for room that isn't there, and its guests for others. */
function refuseTwin({ name }: HostRef, { systemUuid }: HostFacts, hosts: readonly Host[]): void {
  const twin = hosts.find((one) => one.systemUuid === systemUuid);
  if (!twin) return;
  throw new DroverError(
    'AlreadyExists',
    `${name} is the machine that is there as ${twin.name}: both have the system UUID ${systemUuid}`,
    {
      details: { host: twin.name, systemUuid },
      hint: 'if they are two machines, give one a host_uuid of its own in libvirtd.conf',
    },
  );
}

function checkedName(name: string): string {
  if (/^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/.test(name)) return name;
  throw new DroverError(
    'InvalidInput',
    `"${name}" is no name for a host: letters, digits, dots and dashes, at most 63`,
  );
}

function checkedUri(uri: string): string {
  if (/^[a-z][a-z0-9+]*:\/\/\S*$/.test(uri)) return uri;
  throw new DroverError('InvalidInput', `"${uri}" is no libvirt URI`, {
    hint: 'such as qemu+ssh://root@host1/system or qemu+tls://host1/system',
  });
}

function atLeast(flag: string, text: string, least: number, whole: boolean): number {
  const value = toNumber(flag, text);
  if (value >= least && (!whole || Number.isInteger(value))) return value;
  throw new DroverError(
    'InvalidInput',
    `--${flag} takes a ${whole ? 'whole number' : 'number'} from ${least}, not ${text}`,
  );
}
