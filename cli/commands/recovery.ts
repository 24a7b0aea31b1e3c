/** The switches of recovery: what may be done by itself when a host dies, for the fleet or a zone. */
import type { Command } from 'commander';
import { readSwitches, switchText, type Switches } from '../../activities/recovery/switches.js';
import { DroverError } from '../../model/errors.js';
import { recoveryModes, type RecoveryMode, type RecoverySwitch } from '../../model/incident.js';
import { turnRecovery } from '../../client/recovery-mode.js';
import { withContext } from '../context.js';
import { printData, printOne, write } from '../output.js';

export function register(recovery: Command): void {
  recovery
    .command('status')
    .description('Show what recoveries may do now, for the fleet and each zone, and who turned it when.')
    .action((_options: unknown, command: Command) =>
      withContext(command, async ({ inventory, output }) => {
        const switches = await readSwitches(inventory);
        await printOne(output, switches, statusLines(switches));
      }),
    );
  turn(recovery, 'arm', 'Let recoveries work by themselves again; ends every earlier switch of that scope.');
  turn(
    recovery,
    'disarm',
    'Let no recovery begin. One that has not fenced yet stops; one that has goes on, since its host is off.',
  );
  turn(
    recovery,
    'mode',
    'manual: a person approves each fence, with the evidence; dry: all but fence and evacuate; armed; disarmed.',
  );
}

interface Options {
  zone?: string;
  for?: string;
  reason?: string;
}

function turn(recovery: Command, verb: 'arm' | 'disarm' | 'mode', description: string): void {
  const command = recovery.command(verb).description(description);
  if (verb === 'mode') command.argument('<mode>', recoveryModes.join(', '));
  command.option('--zone <zone>', 'for the hosts of this zone; without it, for the fleet');
  if (verb !== 'arm')
    command.option('--for <duration>', 'then what was before holds again, such as 2h; without it, for good');
  command.option('--reason <text>', 'why, for whoever asks');
  command.action((...given: unknown[]) => {
    const mode = verb === 'mode' ? modeOf(String(given[0])) : verb === 'arm' ? 'armed' : 'disarmed';
    return turnTo(mode, command);
  });
}

const turnTo = (mode: RecoveryMode, command: Command): Promise<void> =>
  withContext(command, async (context) => {
    const { output } = context;
    const { zone = null, for: length, reason } = command.opts<Options>();
    const done = await turnRecovery(context, { mode, zone, for: length, reason });
    if (output.format !== 'table') return printData(output, done);
    return write(switchText(done));
  });

function modeOf(text: string): RecoveryMode {
  const mode = recoveryModes.find((one) => one === text);
  if (mode !== undefined) return mode;
  throw new DroverError('InvalidInput', `there is no mode "${text}"`, {
    hint: `take one of ${recoveryModes.join(', ')}`,
  });
}

/** Zones by name, then the last turns, which tell who disarmed what and when. */
function statusLines({ fleet, zones, history }: Switches): [string, string][] {
  return [
    ['fleet', shown(fleet)],
    ...zones.map((one): [string, string] => [`zone ${one.zone ?? ''}`, shown(one)]),
    ['last turns', history.slice(0, 10).map(switchText).join('\n') || 'none'],
  ];
}

const shown = (one: RecoverySwitch): string => (one.by === '' ? 'armed' : switchText(one));
