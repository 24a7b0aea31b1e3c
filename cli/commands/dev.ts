import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { listHosts } from '../../activities/inventory/hosts.js';
import type { Config } from '../../config/config.js';
import { readDevOptions, writeDevOptions, type DevOptions } from '../../config/dev-options.js';
import { DroverError } from '../../model/errors.js';
import { configOf } from '../context.js';
import { detachDev, runDev, stopDev, type ChildSpec } from '../dev.js';
import type { Globals } from '../output.js';
import { furnish, type Playground } from '../playground.js';

const main = fileURLToPath(new URL('../main.js', import.meta.url));

/** What a worker says once it takes work. */
const workerReady = '"state":"RUNNING"';
const gatewayReady = 'listens on';
const tokenLine = 'for the gateway, make a token: drover api-token create me --role admin';

export function register(dev: Command): void {
  dev
    .description(
      'Run a Temporal server, a drover worker and the gateway on this machine. The state is kept in the data folder; Ctrl-C ends all cleanly, ' +
        'and what was under way goes on at the next start. A new folder gets a simulated datacenter to play with.',
    )
    .option('--detach', 'in the background')
    .option('--stop', 'end the one that runs in the background')
    .option('--hosts <number>', 'simulated hosts in a new folder; 0 for none, to use real hosts', count, 6)
    .option('--instances <number>', 'instances on them', count, 40)
    .option('--cloud <name>', 'name of the cloud, remembered by the data folder (default: local)')
    .option('--no-worker', 'without a worker')
    .option('--no-gateway', 'without the gateway (REST API, alerts, metrics)')
    .option(
      '--gateway-port <port>',
      'of the gateway (default: that of drover.yaml, else 8480; if taken, another)',
      port,
    )
    .option(
      '--ip <address>',
      'where Temporal listens; it lets everybody in who reaches it (default: as the last time, else 127.0.0.1)',
    )
    .option('--port <port>', 'of Temporal (default: as the last time, else 7233)', port)
    .option('--ui-port <port>', 'of the Temporal UI (default: as the last time, else 8233)', port)
    .action((_options: unknown, command: Command) => run(command));
}

function port(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number > 0 && number < 65_536) return number;
  throw new InvalidArgumentError('It must be a port, 1 to 65535.');
}

function count(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number, 0 to 99999.');
}

interface Options extends Playground {
  detach?: true;
  stop?: true;
  worker: boolean;
  gateway: boolean;
  gatewayPort?: number;
  cloud?: string;
  ip?: string;
  port?: number;
  uiPort?: number;
}

async function run(command: Command): Promise<void> {
  const options = command.opts<Options>();
  const config = await configOf(command);
  const { config: file } = command.optsWithGlobals<Globals>();
  const dataDir = config.data;
  const common = ['--data', dataDir, ...(file === undefined ? [] : ['--config', file])];
  if (options.stop) return void (await stopDev({ dataDir }));
  const before = readDevOptions(dataDir);
  const address = {
    dataDir,
    ip: options.ip ?? before.ip ?? '127.0.0.1',
    port: options.port ?? before.port ?? 7233,
    uiPort: options.uiPort ?? before.uiPort ?? 8233,
  };
  if (options.detach) {
    const self = [main, 'dev', ...wordsOf({ ...options, ...address }), ...common];
    return detachDev(address, { command: process.execPath, args: self });
  }
  const worker: ChildSpec = {
    name: 'worker',
    command: process.execPath,
    args: [main, 'worker', ...common],
    readyWhen: workerReady,
  };
  const gateway: ChildSpec = {
    name: 'gateway',
    command: process.execPath,
    args: [main, 'gateway', ...(await gatewayWords(config, options)), ...common],
    readyWhen: gatewayReady,
  };
  const children = [...(options.worker ? [worker] : []), ...(options.gateway ? [gateway] : [])];
  const prepare = async (): Promise<readonly string[]> => {
    const { dataDir: _, ...where } = address;
    const remembered = { ...before, ...where };
    if (options.cloud !== undefined) await nameCloud(command, config, options.cloud, remembered);
    else writeDevOptions(dataDir, remembered);
    return [...(await furnish(config, options)), ...(options.gateway ? [tokenLine] : [])];
  };
  process.exitCode = await runDev({ ...address, children, prepare });
  return undefined;
}

/** One that is taken by another `drover dev` keeps nobody from starting: then any free one does. */
async function gatewayWords({ gateway }: Config, { gatewayPort }: Options): Promise<string[]> {
  if (gatewayPort !== undefined) return ['--listen', `127.0.0.1:${gatewayPort}`];
  return (await isFree(gateway)) ? [] : ['--listen', '127.0.0.1:0'];
}

const isFree = ({ address, port: wanted }: Config['gateway']): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(wanted, address, () => server.close(() => resolve(true)));
  });

const wordsOf = (options: Options): string[] => [
  '--hosts',
  String(options.hosts),
  '--instances',
  String(options.instances),
  ...(options.cloud === undefined ? [] : ['--cloud', options.cloud]),
  ...(options.ip === undefined ? [] : ['--ip', options.ip]),
  ...(options.port === undefined ? [] : ['--port', String(options.port)]),
  ...(options.uiPort === undefined ? [] : ['--ui-port', String(options.uiPort)]),
  ...(options.worker ? [] : ['--no-worker']),
  ...(options.gateway ? [] : ['--no-gateway']),
  ...(options.gatewayPort === undefined ? [] : ['--gateway-port', String(options.gatewayPort)]),
];

/** For the workers and all commands on this folder. What is recorded there is told apart by the cloud's name. */
async function nameCloud(
  command: Command,
  config: Config,
  cloud: string,
  remembered: DevOptions,
): Promise<void> {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(cloud)) {
    throw new DroverError('InvalidInput', `"${cloud}" is no name for a cloud`, {
      hint: 'begin with a small letter and go on with small letters, digits and -, at most 31',
    });
  }
  if (cloud !== config.cloud && (await hasHosts(config))) {
    throw new DroverError('WrongState', `${config.data} holds the cloud ${config.cloud}`, {
      details: { cloud: config.cloud, asked: cloud },
      hint: 'leave --cloud out, or take another folder with --data DIR',
    });
  }
  writeDevOptions(config.data, { ...remembered, cloud });
  const now = await configOf(command);
  if (now.cloud === cloud) return;
  writeDevOptions(config.data, remembered);
  throw new DroverError('InvalidInput', `${now.file ?? 'drover.yaml'} names the cloud ${now.cloud}`, {
    hint: 'change it there, or leave --cloud out',
  });
}

async function hasHosts(config: Config): Promise<boolean> {
  const { openInventory, closeInventory } = await import('../../activities/inventory/database.js');
  const inventory = await openInventory(config.inventory);
  const hosts = await listHosts(inventory);
  await closeInventory(inventory);
  return hosts.length > 0;
}
