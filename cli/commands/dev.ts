import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { fileURLToPath } from 'node:url';
import { configOf } from '../context.js';
import { detachDev, runDev, stopDev, type ChildSpec } from '../dev.js';
import type { Globals } from '../output.js';

const main = fileURLToPath(new URL('../main.js', import.meta.url));

/** What a worker says once it takes work. */
const workerReady = '"state":"RUNNING"';

export function register(dev: Command): void {
  dev
    .description(
      'Run a Temporal server and a drover worker on this machine. The state is kept in the data folder; Ctrl-C ends both cleanly, ' +
        'and what was under way goes on at the next start.',
    )
    .option('--detach', 'in the background')
    .option('--stop', 'end the one that runs in the background')
    .option('--no-worker', 'without a worker')
    .option('--ip <address>', 'where Temporal listens; it lets everybody in who reaches it', '127.0.0.1')
    .option('--port <port>', 'of Temporal', port, 7233)
    .option('--ui-port <port>', 'of the Temporal UI', port, 8233)
    .action((_options: unknown, command: Command) => run(command));
}

function port(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number > 0 && number < 65_536) return number;
  throw new InvalidArgumentError('It must be a port, 1 to 65535.');
}

async function run(command: Command): Promise<void> {
  const options = command.opts<{
    detach?: true;
    stop?: true;
    worker: boolean;
    ip: string;
    port: number;
    uiPort: number;
  }>();
  const config = await configOf(command);
  const { config: file } = command.optsWithGlobals<Globals>();
  const dataDir = config.data;
  const common = ['--data', dataDir, ...(file === undefined ? [] : ['--config', file])];
  if (options.stop) return void (await stopDev({ dataDir }));
  const { ip, port: portNumber, uiPort } = options;
  const address = { dataDir, ip, port: portNumber, uiPort };
  if (options.detach) {
    const words = [
      '--ip',
      ip,
      '--port',
      String(portNumber),
      '--ui-port',
      String(uiPort),
      ...(options.worker ? [] : ['--no-worker']),
    ];
    return detachDev(address, { command: process.execPath, args: [main, 'dev', ...words, ...common] });
  }
  const worker: ChildSpec = {
    name: 'worker',
    command: process.execPath,
    args: [main, 'worker', ...common],
    readyWhen: workerReady,
  };
  const nextSteps = [
    'next: drover host add NAME --uri URI, then drover instance adopt NAME --all; drover doctor checks all',
  ];
  process.exitCode = await runDev({ ...address, children: options.worker ? [worker] : [], nextSteps });
  return undefined;
}
