/** A real Temporal server, a datacenter and an inventory in files, and a worker process that dies as it is told. */
import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { closeInventory, openInventory } from '../../../activities/inventory/database.js';
import { openDatacenters } from '../../../activities/simulator/folder.js';
import { startDevServer } from '../../../temporal/dev-server.js';
import { bundleWorkflows, quietRuntime } from '../../temporal/bundle.js';
import { freePort, temporalBinary, temporaryFolder } from '../../temporal/helpers.js';
import type { World } from '../case.js';
import { names, type Kill, type Order, type Parked } from './plan.js';
import { quickClock } from './quick-clock.js';
import { transpiled } from '../../transpile.js';

export interface Site {
  client: Client;
  world: World;
  /** A worker process with this plan; `died` answers who was parked when it is gone. */
  employ(
    kills: Kill[],
    mutant?: Order['mutant'],
  ): Promise<{ died(): Promise<Parked[]>; end(): Promise<void> }>;
  close(): Promise<void>;
}

export async function openSite(): Promise<Site> {
  quietRuntime();
  const folder = temporaryFolder();
  const bundling = bundleWorkflows([new URL('short-limits.ts', import.meta.url).pathname]);
  // A worker can be killed only as a process of its own.
  const code = transpiled(['test/proof/kill/worker.ts']);
  const [port, uiPort] = [await freePort(), await freePort()];
  const server = await startDevServer({ binary: await temporalBinary(), dataDir: folder, port, uiPort });
  const connection = await Connection.connect({ address: server.address });
  const bundle = join(folder, 'workflows.cjs');
  writeFileSync(bundle, (await bundling).code);
  const begun = Date.now();
  const datacenters = openDatacenters(folder, quickClock(begun));
  const inventory = await openInventory({ path: join(folder, 'inventory.db') });
  const datacenter = datacenters.make(names.datacenter);
  const common = { address: server.address, folder, bundle, begun };
  let workers = 0;
  return {
    client: new Client({ connection, identity: 'proof' }),
    world: { cloud: names.cloud, datacenter, inventory, uuid: randomUUID },
    async employ(kills, mutant) {
      workers += 1;
      const file = join(folder, `order-${workers}.json`);
      const parkedFile = `${file}.parked`;
      const order: Order = { ...common, kills, parkedFile, ...(mutant ? { mutant } : {}) };
      writeFileSync(file, JSON.stringify(order));
      return started(
        fork(join(code.directory, 'test/proof/kill/worker.js'), [file], {
          execArgv: [],
          env: { PATH: process.env['PATH'] },
        }),
        order,
      );
    },
    async close() {
      datacenters.close();
      await closeInventory(inventory);
      await connection.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
      code.remove();
    },
  };
}

async function started(child: ChildProcess, { parkedFile }: Order): ReturnType<Site['employ']> {
  const gone = new Promise<string>((resolve) => {
    child.once('exit', (exit, signal) => resolve(signal ?? `exit ${exit}`));
  });
  const ready = new Promise<true>((resolve) => child.once('message', () => resolve(true)));
  const first = await Promise.race([ready, gone]);
  if (first !== true) throw new Error(`the worker did not start: ${first}`);
  return {
    async died() {
      const how = await gone;
      if (how !== 'SIGKILL' || !existsSync(parkedFile)) throw new Error(`the worker ended by ${how}`);
      return JSON.parse(readFileSync(parkedFile, 'utf8')) as Parked[];
    },
    async end() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
