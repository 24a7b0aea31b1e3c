/** A simulated datacenter on a real Temporal server, with the shipped workers as processes of their own that can be killed. */
import { randomUUID } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { closeInventory, openInventory, type Inventory } from '../../../activities/inventory/database.js';
import type { Datacenter } from '../../../activities/simulator/datacenter.js';
import { giveFault, type Fault } from '../../../activities/simulator/faults.js';
import type { Caller } from '../../../client/caller.js';
import { loadConfig } from '../../../config/config.js';
import type { HostRef } from '../../../model/host.js';
import { connectClient, type TemporalConnection } from '../../../temporal/connect.js';
import { startDevServer, type DevServer } from '../../../temporal/dev-server.js';
import { adoptGuest } from '../../../virtual/guests.js';
import { openPorts, type Ports } from '../../../worker/ports.js';
import { addRoomyHost } from '../../proof/place.js';
import { freePort, temporalBinary, temporaryFolder } from '../../temporal/helpers.js';
import { watchForTwins } from '../world.js';

const cloud = 'soak';
const main = resolve(import.meta.dirname, '../../../dist/cli/main.js');
/** Outages follow each other here within minutes, which no storm brake would let pass. */
const configuration = `cloud: ${cloud}
data: .
audit: { every: 5m }
recovery:
  confirm: 15s
  ask_every: 2s
  settle: 1s
  retry_every: 5s
  budget: { zone: 1000, fleet: 1000 }
`;

export type Process = 'control' | 'recovery';

export class RealSite {
  readonly caller: Caller & { readonly via: 'cli' };
  private readonly processes = new Map<Process, ChildProcess>();

  private constructor(
    readonly inventory: Inventory,
    readonly datacenter: Datacenter,
    readonly hosts: readonly HostRef[],
    private readonly at: { folder: string; ports: Ports; binary: string; port: number; uiPort: number },
    private server: DevServer,
    private temporal: TemporalConnection,
  ) {
    this.caller = {
      cloud,
      inventory,
      identity: { name: 'soak', role: 'admin' },
      via: 'cli',
      temporal: async () => this.temporal,
      say: () => undefined,
    };
  }

  static async open(hostCount: number): Promise<RealSite> {
    const folder = temporaryFolder();
    const file = join(folder, 'drover.yaml');
    writeFileSync(file, configuration);
    const config = await loadConfig({ file, env: {} });
    const ports = openPorts({ dataDir: config.data });
    const datacenter = ports.datacenters.make('dc');
    const inventory = await openInventory(config.inventory);
    const hosts: HostRef[] = [];
    for (let n = 1; n <= hostCount; n += 1)
      hosts.push(await addRoomyHost({ cloud, datacenter, inventory, uuid: randomUUID }, `h${n}`));
    await watchForTwins({ datacenter });
    const at = {
      folder,
      ports,
      binary: await temporalBinary(),
      port: await freePort(),
      uiPort: await freePort(),
    };
    const server = await startDevServer({ ...at, dataDir: folder });
    const temporal = await connectClient({ env: { TEMPORAL_ADDRESS: server.address } });
    const site = new RealSite(inventory, datacenter, hosts, at, server, temporal);
    site.employ('control');
    site.employ('recovery');
    return site;
  }

  async guest(name: string, on: HostRef): Promise<string> {
    const id = randomUUID();
    const small = { state: 'active', local: false, vcpus: 1, memoryMiB: 128, diskGiB: 1 } as const;
    await adoptGuest(this.datacenter, this.inventory, { ...small, id, name, on });
    return id;
  }

  async strike(fault: Fault): Promise<void> {
    await this.datacenter.transact((tx) => giveFault(tx, fault));
  }

  /** A process that is killed leaves all as it is; the next goes on. */
  kill(which: Process): void {
    this.processes.get(which)?.kill('SIGKILL');
    this.employ(which);
  }

  async restartTemporal(): Promise<void> {
    await this.server.stop();
    this.server = await startDevServer({ ...this.at, dataDir: this.at.folder });
  }

  async close(): Promise<void> {
    for (const child of this.processes.values()) child.kill('SIGKILL');
    await this.temporal.connection.close();
    await this.server.stop();
    await closeInventory(this.inventory);
    this.at.ports.close();
    rmSync(this.at.folder, { recursive: true, force: true });
  }

  private employ(which: Process): void {
    const log = openSync(join(this.at.folder, `${which}.log`), 'a');
    const args = [main, '--config', join(this.at.folder, 'drover.yaml'), 'worker', '--only', which];
    const env = { PATH: process.env['PATH'], HOME: this.at.folder, TEMPORAL_ADDRESS: this.server.address };
    this.processes.set(which, spawn(process.execPath, args, { env, stdio: ['ignore', log, log] }));
  }
}
