/** What is wrong with the BMCs of simulated hosts, and what the platform itself has armed on them. */
import type { Command } from 'commander';
import { bmcStates, type BmcState } from '../activities/simulator/bmc-states.js';
import { didYouMean } from '../model/did-you-mean.js';
import { DroverError } from '../model/errors.js';
import { withDatacenter, whole } from './sim-datacenter.js';
import { give, told } from './sim-faults.js';

/** What is said of a BMC in each state; a swapped one is followed by whose power it has. */
export const bmcWords: Record<BmcState, string> = {
  ok: 'is well',
  dead: 'is dead',
  hang: 'hangs',
  'wrong-password': 'has another password',
  deaf: 'is deaf',
  lie: 'lies',
  swapped: 'has the power of',
};

export function registerBmc(sim: Command): void {
  withDatacenter(sim.command('bmc'))
    .description('Say how the BMCs of hosts are from now on; `drover sim restore` takes that away, too.')
    .argument('<state>', bmcStates.join(', '))
    .argument('<host...>', 'names of hosts')
    .option('--with <host>', 'of a swapped one: whose power it has')
    .action((text: string, hosts: string[], _options: unknown, command: Command) => {
      const state = oneOf('state of a BMC', text, bmcStates);
      const other = command.opts<{ with?: string }>().with;
      const fault = { do: 'bmc' as const, hosts, state, ...(other === undefined ? {} : { with: other }) };
      return give(
        command,
        fault,
        hosts
          .map((host) => `the BMC of ${host} ${bmcWords[state]}${other === undefined ? '' : ` ${other}`}`)
          .join('\n'),
      );
    });
  withDatacenter(sim.command('self-fence'))
    .description(
      'Say what the platform has armed on hosts: they reset themselves once they are cut off for long.',
    )
    .argument('<kind>', 'watchdog, lease or none')
    .argument('<host...>', 'names of hosts')
    .option('--seconds <number>', 'after how long', '60')
    .action((text: string, hosts: string[], _options: unknown, command: Command) => {
      const kind = oneOf('self-fence', text, ['watchdog', 'lease', 'none'] as const);
      const seconds = whole('seconds', command.opts<{ seconds: string }>().seconds, 1);
      const said = kind === 'none' ? 'has nothing armed' : `has a ${kind} of ${seconds} s`;
      return give(command, { do: 'self-fence', hosts, kind, seconds }, told(hosts, said));
    });
}

function oneOf<const T extends string>(what: string, text: string, among: readonly T[]): T {
  const found = among.find((one) => one === text);
  if (found !== undefined) return found;
  const meant = didYouMean(text, among);
  throw new DroverError('InvalidInput', `there is no ${what} "${text}"`, {
    hint: meant === undefined ? `there are ${among.join(', ')}` : `did you mean "${meant}"?`,
  });
}
