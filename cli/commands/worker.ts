import { Option, type Command } from 'commander';
import { configOf } from '../context.js';

export function register(worker: Command): void {
  worker
    .description(
      'Run a worker until Ctrl-C. Without --host: operations, runbooks and hypervisors, and the recoveries of lost hosts, which ' +
        'nothing else keeps waiting. With --host: the disks of that host; one runs on each host. What a killed worker left is ' +
        'gone on with by the next.',
    )
    .addOption(
      new Option('--only <work>', 'only one of the two: a process for each').choices(['control', 'recovery']),
    )
    .option(
      '--vantage <name>',
      'a vantage point: it only looks at hosts that are silent, and needs Temporal alone',
    )
    .option('--host <host>', 'the host on which it runs and whose disks it works on')
    .option(
      '--state-dir <dir>',
      'where the worker of a host keeps what protects its disks (default: /var/lib/drover)',
    )
    .option(
      '--reboot-command <command>',
      'what the worker of a host runs to reboot it; split at blanks, no shell (default: systemctl reboot)',
    )
    .action(async (_options: unknown, command: Command) => {
      const { host, only, vantage, stateDir, rebootCommand } = command.opts<{
        host?: string;
        only?: 'control' | 'recovery';
        vantage?: string;
        stateDir?: string;
        rebootCommand?: string;
      }>();
      const config = await configOf(command);
      const { runWorker } = await import('../../worker/worker.js');
      await runWorker({
        config,
        ...(host === undefined ? {} : { host }),
        ...(only === undefined ? {} : { only }),
        ...(vantage === undefined ? {} : { vantage }),
        ...(stateDir === undefined ? {} : { stateDir }),
        ...(rebootCommand === undefined ? {} : { rebootCommand: rebootCommand.trim().split(/\s+/) }),
      });
    });
}
