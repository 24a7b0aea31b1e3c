/** Faults for simulated hosts, each a command. */
import type { Command } from 'commander';
import { callNames } from '../activities/simulator/call-names.js';
import { giveFault, type Fault } from '../activities/simulator/faults.js';
import { hostStatuses } from '../activities/simulator/status.js';
import { didYouMean } from '../model/did-you-mean.js';
import { parseDuration } from '../model/duration.js';
import { DroverError } from '../model/errors.js';
import { outputOf, printData, write } from './output.js';
import { toNumber } from './schema-options.js';
import { inDatacenter, whole, withDatacenter } from './sim-datacenter.js';

const collect = (value: string, before: string[]): string[] => [...before, value];

export function registerFaults(sim: Command): void {
  registerHostFaults(sim);
  registerGuestFaults(sim);
  withDatacenter(sim.command('rack-loss'))
    .description('Cut the power of all hosts of a rack at the same moment.')
    .argument('<rack>', 'name of the rack')
    .action((rack: string, _options: unknown, command: Command) =>
      give(command, { do: 'rack-loss', rack }, `rack ${rack} has lost its power`),
    );
  withDatacenter(sim.command('fail'))
    .description('Make a coming call to the hypervisor or the disks fail, once or several times.')
    .argument('[host]', 'only calls to this host')
    .requiredOption('--call <name>', 'the call, such as startMigration, start or createDisk')
    .option('--nth <number>', 'which call from now on', '1')
    .option('--times <number>', 'how many calls in a row', '1')
    .option('--lose-answer', 'the work is done, but the caller does not hear of it')
    .action((host: string | undefined, _options: unknown, command: Command) => fail(host, command));
}

const sights = {
  blind: 'Cut a vantage point off, from all hosts or from some.',
  unblind: 'Let a vantage point see hosts again, all or some.',
} as const;

function registerHostFaults(sim: Command): void {
  const simple = {
    crash: ['Cut the power of hosts: all their guests die, definitions and disks stay.', 'is off'],
    restore: ['Take all faults of hosts away; those that are off boot.', 'has no faults any more'],
    hang: ['Let hosts answer nothing; their guests go on.', 'hangs'],
    'storage-loss': [
      'Take the storage away from hosts that they share with others; guests with a disk there stand still.',
      'has lost its shared storage',
    ],
    'break-stream': [
      'Break the streams of post-copy migrations from hosts; both halves of their guests stand still.',
      'has lost the streams of its post-copy migrations',
    ],
  } as const;
  for (const [kind, [says, said]] of Object.entries(simple)) {
    withDatacenter(sim.command(kind))
      .description(says)
      .argument('<host...>', 'names of hosts')
      .action((hosts: string[], _options: unknown, command: Command) =>
        give(command, { do: kind as keyof typeof simple, hosts }, told(hosts, said)),
      );
  }
  withDatacenter(sim.command('libvirtd'))
    .description('Kill libvirtd of hosts, let it hang, or start it again; the guests go on.')
    .argument('<action>', 'kill, hang or start')
    .argument('<host...>', 'names of hosts')
    .action((action: string, hosts: string[], _options: unknown, command: Command) => {
      if (action !== 'kill' && action !== 'hang' && action !== 'start') {
        throw new DroverError('InvalidInput', `libvirtd can be told kill, hang or start, not "${action}"`);
      }
      const said = {
        kill: 'has no libvirtd',
        hang: 'has a libvirtd that hangs',
        start: 'has its libvirtd',
      }[action];
      return give(command, { do: `libvirtd-${action}`, hosts }, told(hosts, said));
    });
  withDatacenter(sim.command('partition'))
    .description('Cut hosts off the network; their guests go on.')
    .argument('<host...>', 'names of hosts')
    .option('--from <host>', 'only from this host; may be given more than once', collect, [])
    .action((hosts: string[], _options: unknown, command: Command) => {
      const { from } = command.opts<{ from: string[] }>();
      const said = from.length === 0 ? 'is cut off' : `does not reach ${from.join(', ')}`;
      const fault = { do: 'partition' as const, hosts, ...(from.length === 0 ? {} : { from }) };
      return give(command, fault, told(hosts, said));
    });
  for (const [kind, says] of Object.entries(sights)) {
    withDatacenter(sim.command(kind))
      .description(says)
      .argument('<vantage>', 'name of the vantage point: north or south')
      .argument('[host...]', 'only these hosts')
      .action((vantage: string, only: string[], _options: unknown, command: Command) => {
        const of = only.length === 0 ? {} : { only };
        const whom = only.length === 0 ? 'any host' : only.join(', ');
        const said = kind === 'blind' ? 'does not see' : 'sees again';
        return give(
          command,
          { do: kind as keyof typeof sights, vantage, ...of },
          `${vantage} ${said} ${whom}`,
        );
      });
  }
  withDatacenter(sim.command('slow'))
    .description('Slow the calls to hosts down, or their migrations.')
    .argument('<host...>', 'names of hosts')
    .option('--calls <time>', 'how much longer each call takes, such as 2s')
    .option('--bandwidth <MiB>', 'MiB per second for migrations')
    .action((hosts: string[], _options: unknown, command: Command) => slow(hosts, command));
}

/** What guests do by themselves, or somebody does to them behind drover's back. */
function registerGuestFaults(sim: Command): void {
  const guestFaults = {
    'guest-crash': ['End the processes of guests, as a crash of QEMU does.', 'has crashed'],
    'guest-shutdown': ['Let guests shut themselves down.', 'has shut itself down'],
    'guest-destroy': ['End guests by hand, as virsh destroy does.', 'was ended by hand'],
    'guest-io-error': [
      'Let the disks of guests fail: they stand still.',
      'stands still: a disk of it failed',
    ],
    'guest-disk-write': [
      'Write to the disks of guests behind their back: memory saved before is older then.',
      'has newer disks',
    ],
    'guest-boot': ['Start guests by hand, without the memory that was saved.', 'was started by hand'],
  } as const;
  for (const [kind, [says, said]] of Object.entries(guestFaults)) {
    withDatacenter(sim.command(kind))
      .description(says)
      .argument('<guest...>', 'names or ids of guests')
      .action((guests: string[], _options: unknown, command: Command) =>
        give(command, { do: kind as keyof typeof guestFaults, guests }, told(guests, said)),
      );
  }
}

export const told = (names: readonly string[], said: string): string =>
  names.map((name) => `${name} ${said}`).join('\n');

async function slow(hosts: string[], command: Command): Promise<void> {
  const { calls, bandwidth } = command.opts<{ calls?: string; bandwidth?: string }>();
  if (calls === undefined && bandwidth === undefined) {
    throw new DroverError('InvalidInput', 'what is to be slow is not said', {
      hint: `such as: drover sim slow ${hosts.join(' ')} --calls 2s, or --bandwidth 20`,
    });
  }
  const seconds = calls === undefined ? undefined : parseDuration(calls);
  if (calls !== undefined && seconds === undefined) {
    throw new DroverError('InvalidInput', `--calls takes a time such as 2s, not "${calls}"`);
  }
  const link = bandwidth === undefined ? undefined : toNumber('bandwidth', bandwidth);
  if (link !== undefined && link <= 0) {
    throw new DroverError('InvalidInput', `--bandwidth takes a number above 0, not ${bandwidth}`);
  }
  const fault = {
    do: 'slow' as const,
    hosts,
    ...(seconds === undefined ? {} : { 'call-ms': seconds * 1000 }),
    ...(link === undefined ? {} : { bandwidth: link }),
  };
  await give(command, fault, told(hosts, 'is slow'));
}

async function fail(host: string | undefined, command: Command): Promise<void> {
  const options = command.opts<{ call: string; nth: string; times: string; loseAnswer?: true }>();
  const call = callNames.find((name) => name === options.call);
  if (call === undefined) {
    const meant = didYouMean(options.call, callNames);
    throw new DroverError('InvalidInput', `there is no call "${options.call}"`, {
      hint: meant === undefined ? `the calls are ${callNames.join(', ')}` : `did you mean "${meant}"?`,
    });
  }
  const [nth, times] = [whole('nth', options.nth, 1), whole('times', options.times, 1)];
  const about = { call, nth, times, ...(host === undefined ? {} : { host }) };
  const message = 'internal error: injected by the simulation';
  const fault: Fault = options.loseAnswer
    ? { do: 'lose-answer', ...about }
    : { do: 'fail', message, ...about };
  const what = options.loseAnswer ? 'loses its answer' : 'fails';
  const which = nth === 1 ? `the next ${call}` : `call number ${nth} of ${call}`;
  await give(command, fault, `${which}${host === undefined ? '' : ` to ${host}`} ${what}`);
}

/** Gives the fault, and tells it: to people in a sentence, to programs as the hosts are now. */
export async function give(command: Command, fault: Fault, text: string): Promise<void> {
  await inDatacenter(command, async (datacenter) => {
    await datacenter.transact((tx) => giveFault(tx, fault));
    const output = outputOf(command);
    if (output.format === 'table') return write(text);
    return printData(output, await datacenter.transact((tx) => hostStatuses(tx, datacenter.name)));
  });
}
