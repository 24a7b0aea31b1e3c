import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { openLab, type HostStatus } from '../../lab/lab.js';
import { DroverError } from '../../model/errors.js';
import { configOf } from '../context.js';
import { note, outputOf, printData, printList, write, type Globals } from '../output.js';
import { paintState } from '../paint.js';

/** Commands that take one host and tell what they did. */
const onHost = {
  crash: { does: 'Cut the power of a host: all its processes die at once.', said: 'is off' },
  reboot: { does: 'Reboot a host, as from within: it goes down and comes back by itself.', said: 'reboots' },
  boot: { does: 'Boot a host that is off.', said: 'is up' },
  partition: { does: 'Cut a host off the network; its guests go on.', said: 'is cut off' },
  heal: { does: 'Connect a host to the network again.', said: 'is connected' },
} as const;

export function register(lab: Command): void {
  lab
    .command('up')
    .description('Start hosts with libvirt and QEMU on this machine (Linux, root).')
    .argument('[hosts]', 'how many, 1 to 9', '3')
    .action(async (hosts: string, _options: unknown, command: Command) => {
      if (!/^[1-9]$/.test(hosts))
        throw new DroverError('InvalidInput', `a lab has 1 to 9 hosts, not "${hosts}"`);
      note(`starting ${hosts} hosts; the first time takes some minutes`);
      await openLab().up(Number(hosts));
      await status(command);
      for (const host of await openLab().status()) note(`drover host add ${host.name} --uri ${host.uri}`);
    });
  for (const [name, says] of [
    ['down', 'Power off every host; disks and definitions stay.'],
    ['wipe', 'Power off every host and delete all that the lab has written.'],
  ] as const) {
    lab
      .command(name)
      .description(says)
      .action(async (_options: unknown, command: Command) => {
        await openLab()[name]();
        const hosts = () => openLab().status();
        await tell(command, name === 'down' ? 'the lab is off' : 'the lab is gone', hosts);
      });
  }
  lab
    .command('status')
    .description('List the hosts: up or not, their URIs, their links.')
    .action((_options: unknown, command: Command) => status(command));
  for (const [name, { does, said }] of Object.entries(onHost)) {
    lab
      .command(name)
      .description(does)
      .argument('<host>', 'host1, host2, …')
      .action(async (host: string, _options: unknown, command: Command) => {
        await openLab()[name as keyof typeof onHost](host);
        await tell(command, `${host} ${said}`, () => openLab().hostNamed(host));
      });
  }
  registerMore(lab);
}

function registerMore(lab: Command): void {
  lab
    .command('link')
    .description('Limit the link of a host in both directions.')
    .argument('<host>', 'host1, host2, …')
    .argument('<rate>', 'such as 20mbit; off lifts the limit')
    .action(async (host: string, rate: string, _options: unknown, command: Command) => {
      await openLab().link(host, rate === 'off' ? null : rate);
      const text = `the link of ${host}: ${rate === 'off' ? 'no limit' : rate}`;
      await tell(command, text, () => openLab().hostNamed(host));
    });
  lab
    .command('libvirtd')
    .description('Start, stop or kill libvirtd of a host; its guests go on.')
    .argument('<host>', 'host1, host2, …')
    .argument('<action>', 'start, stop or kill')
    .action(async (host: string, action: string, _options: unknown, command: Command) => {
      if (action !== 'start' && action !== 'stop' && action !== 'kill') {
        throw new DroverError('InvalidInput', `libvirtd can be told start, stop or kill, not "${action}"`);
      }
      await openLab().libvirtd(host, action);
      await tell(command, `libvirtd of ${host}: ${action}`, () => openLab().hostNamed(host));
    });
  lab
    .command('worker')
    .description('Start the drover worker of a host inside that host, now and at each of its boots.')
    .argument('<host>', 'host1, host2, …; by the name that drover knows it by')
    .action((host: string, _options: unknown, command: Command) => startWorker(host, command));
  lab
    .command('fleet')
    .description('Make guests that count on their serial console and on their disk, spread over the hosts.')
    .argument('<guests>', 'how many')
    .action(async (guests: string, _options: unknown, command: Command) => {
      if (!/^[1-9]\d?$/.test(guests))
        throw new DroverError('InvalidInput', `a fleet has 1 to 99 guests, not "${guests}"`);
      const made = await openLab().fleet(Number(guests));
      await tell(command, made, () => made.split('\n').map(madeGuest));
    });
}

const main = fileURLToPath(new URL('../main.js', import.meta.url));

/** As a service of the host, so it is there again after `crash` and `boot`. */
async function startWorker(host: string, command: Command): Promise<void> {
  const config = await configOf(command);
  const { resolveTarget, splitAddress } = await import('../../temporal/connect.js');
  const lab = openLab();
  const { address, namespace } = resolveTarget({ dataDir: config.data });
  const { host: ip, port } = splitAddress(address);
  // What this machine calls loopback the hosts of the lab reach by its address in their network.
  const reachable = ip.startsWith('127.') || ip === 'localhost' ? `${await lab.gateway()}:${port}` : address;
  const { config: file = process.env['DROVER_CONFIG'] } = command.optsWithGlobals<Globals>();
  await lab.installWorker(host, [process.execPath, main, 'worker', '--host', host, ...lab.rebootFlags], {
    env: {
      TEMPORAL_ADDRESS: reachable,
      TEMPORAL_NAMESPACE: namespace,
      ...(file === undefined ? {} : { DROVER_CONFIG: resolve(file) }),
    },
    cwd: process.cwd(),
  });
  const text = `the worker of ${host} takes its work from ${reachable}`;
  await tell(command, text, () => ({ host, address: reachable, namespace }));
}

/** A sentence for people; for programs what there is now, which is looked up only for them. */
async function tell(command: Command, text: string, data: () => object | Promise<object>): Promise<void> {
  const output = outputOf(command);
  if (output.format === 'table') return write(text);
  return printData(output, await data());
}

/** The lab tells a guest that it has made as `vm1 on host1 disk=shared`. */
function madeGuest(line: string): object {
  const {
    name = line,
    host = null,
    disk = null,
  } = /^(?<name>\S+) on (?<host>\S+) disk=(?<disk>\S+)$/.exec(line)?.groups ?? {};
  return { name, host, disk };
}

const columns = [
  { title: 'NAME', value: (row: HostStatus) => row.name },
  { title: 'STATE', value: (row: HostStatus) => (row.up ? paintState('up') : 'off') },
  { title: 'URI', value: (row: HostStatus) => row.uri },
  { title: 'LINK', value: (row: HostStatus) => row.link },
  {
    title: 'LIBVIRTD',
    value: (row: HostStatus) => (row.libvirtd === null ? 'does not run' : `pid ${row.libvirtd}`),
  },
];

async function status(command: Command): Promise<void> {
  const hosts = await openLab().status();
  await printList(outputOf(command), hosts, columns, 'no lab: start one with `drover lab up`');
}
