import type { Command } from 'commander';
import type { GuestView } from '../activities/hypervisor/port.js';
import { getHostRef } from '../activities/inventory/hosts.js';
import { getInstance } from '../activities/inventory/instances.js';
import { DroverError } from '../model/errors.js';
import type { HostRef } from '../model/host.js';
import { withContext, type Context } from './context.js';
import { printData } from './output.js';
import { toNumber } from './schema-options.js';

/** Looking into a guest: its console, and what it wrote there. */
export function registerGuestAccess(instance: Command): void {
  instance
    .command('console')
    .description('Attach this terminal to the serial console; Ctrl-] detaches.')
    .argument('<instance>', 'name or id of the instance')
    .action(async (name: string, _options: unknown, command: Command) => {
      await withContext(command, (context) => attach(context, name));
    });
  instance
    .command('log')
    .description('Print the end of the serial log, as the worker of its host reads it.')
    .argument('<instance>', 'name or id of the instance')
    .option('--tail <bytes>', 'how much of its end', '16384')
    .action(async (name: string, _options: unknown, command: Command) => {
      const tailBytes = toNumber('tail', command.opts<{ tail: string }>().tail);
      await withContext(command, async (context) => {
        const { guest, host } = await guestOf(context, name);
        if (guest.serialLog === null) {
          throw new DroverError(
            'Unsupported',
            `the definition of ${guest.name} keeps no log of its serial console`,
            {
              hint: 'add <log file=…/> to its <serial>; guests that drover launches have one',
            },
          );
        }
        const { readSerialLog } = await import('../client/serial-log.js');
        const log = await readSerialLog(context, {
          host: host.name,
          path: guest.serialLog,
          tailBytes,
          label: guest.name,
        });
        if (context.output.format === 'table') process.stdout.write(log.text);
        else await printData(context.output, log);
      });
    });
}

async function guestOf(context: Context, name: string): Promise<{ guest: GuestView; host: HostRef }> {
  const { id, name: label, host: hostName, state } = await getInstance(context.inventory, name);
  if (hostName === null) {
    throw new DroverError('WrongState', `instance ${label} (${state}) is on no host`, {
      hint: `see \`drover instance show ${label}\``,
    });
  }
  const host = await getHostRef(context.inventory, hostName);
  const { hypervisor } = await import('../worker/ports.js');
  const guest = await hypervisor(context.config.data).look(host, id);
  if (guest) return { guest, host };
  throw new DroverError('GuestLost', `host ${hostName} has no guest of instance ${label}`);
}

async function attach(context: Context, name: string): Promise<void> {
  const { guest, host } = await guestOf(context, name);
  if (guest.power !== 'running' && guest.power !== 'paused') {
    throw new DroverError('WrongState', `instance ${guest.name} is ${guest.power}: it has no console`, {
      hint: `start it with \`drover instance start ${guest.name}\``,
    });
  }
  const { hypervisor } = await import('../worker/ports.js');
  const { file, args } = hypervisor(context.config.data).consoleCommand(host, guest.id);
  const { execa } = await import('execa');
  const { exitCode, failed, originalMessage } = await execa(file, args, { stdio: 'inherit', reject: false });
  if (failed) {
    throw new DroverError(
      'HypervisorError',
      `the console of ${guest.name} ended: ${originalMessage ?? `exit code ${exitCode}`}`,
      {
        hint: 'it needs a terminal; another console may be attached already',
      },
    );
  }
}
