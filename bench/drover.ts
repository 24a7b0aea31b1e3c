/** A drover in this process: Temporal, an inventory, a control worker with the benchmarks' workflows beside ours. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  NativeConnection,
  Runtime,
  bundleWorkflowCode,
  type Logger,
  type WorkerOptions,
} from '@temporalio/worker';
import { closeInventory, openInventory } from '../activities/inventory/database.js';
import type { Caller } from '../client/caller.js';
import { findTemporal } from '../temporal/binary.js';
import { connectClient, type TemporalConnection } from '../temporal/connect.js';
import { startDevServer } from '../temporal/dev-server.js';
import { openPorts, type Ports } from '../worker/ports.js';
import { createControlWorker } from '../worker/worker.js';
import { freePort, type Session } from './session.js';

export interface Drover extends Caller {
  connection: TemporalConnection;
  ports: Ports;
  /** What every worker of it needs. */
  common: Pick<WorkerOptions, 'connection' | 'namespace' | 'shutdownGraceTime'>;
  /** Where others reach Temporal: the workers of hosts. */
  address: string;
  /** Its data folder. */
  dir: string;
}

const CLOUD = 'bench';

const built = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const silent = (): void => undefined;
const quiet: Logger = {
  log: silent,
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error: (message, meta) => void process.stderr.write(`${message} ${JSON.stringify(meta ?? {})}\n`),
};

let installed = false;

/** `ip`: also reachable there; loopback is. Everything ends with the session. */
export async function startDrover(session: Session, ip = '127.0.0.1'): Promise<Drover> {
  // The runtime's own handlers would stop the worker at Ctrl-C, and leave us waiting for it.
  if (!installed) Runtime.install({ logger: quiet, shutdownSignals: [] });
  installed = true;
  const { say } = session;
  const dir = session.folder();
  const { path: binary } = await findTemporal({ say, signal: session.signal });
  const [port, uiPort] = [await freePort(), await freePort()];
  say('starting Temporal and a worker');
  const server = await startDevServer({ binary, dataDir: dir, ip, port, uiPort, signal: session.signal });
  session.atEnd(() => server.stop());

  const connection = await connectClient({ env: { TEMPORAL_ADDRESS: server.address } });
  session.atEnd(() => connection.connection.close());
  const inventory = await openInventory({ path: join(dir, 'inventory.db') });
  session.atEnd(() => closeInventory(inventory));
  const ports = openPorts({ dataDir: dir });
  const native = await NativeConnection.connect({ address: server.address });
  session.atEnd(() => native.close());
  const common = { connection: native, namespace: connection.namespace, shutdownGraceTime: '5s' as const };
  const worker = await createControlWorker({
    cloud: CLOUD,
    inventory,
    client: connection.client,
    ports,
    common,
    bundle: await bundleWorkflowCode({
      workflowsPath: built('./workflows.js'),
      preloadModules: [built('../workflows/preload.js')],
      logger: quiet,
    }),
  });
  const running = worker.run().catch((error: unknown) => say(`the worker ended: ${String(error)}`));
  session.atEnd(async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  });
  return {
    cloud: CLOUD,
    inventory,
    identity: { name: 'bench', role: 'admin' },
    via: 'cli',
    temporal: async () => connection,
    say,
    connection,
    ports,
    common,
    address: `${ip}:${port}`,
    dir,
  };
}
