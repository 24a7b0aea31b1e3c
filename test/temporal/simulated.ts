/** A simulated datacenter of three hosts with the shipped workers on it, for tests on a real Temporal server. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Context } from '@temporalio/activity';
import { closeInventory, openInventory, type Inventory } from '../../activities/inventory/database.js';
import { getInstance } from '../../activities/inventory/instances.js';
import type { Datacenter } from '../../activities/simulator/datacenter.js';
import type { HostRef } from '../../model/host.js';
import type { Instance } from '../../model/instance.js';
import type { InventoryPlace } from '../../model/inventory.js';
import { defaultRecoveryRules, type RecoveryRules } from '../../model/recovery.js';
import { adoptGuest, type NewGuest } from '../../virtual/guests.js';
import { serveDatacenters } from '../../worker/datacenters.js';
import { openPorts, type Ports } from '../../worker/ports.js';
import { createControlWorker, type CloudQueue } from '../../worker/worker.js';
import { quickClock } from '../proof/kill/quick-clock.js';
import { addRoomyHost } from '../proof/place.js';
import { memoryFolder } from './helpers.js';
import { cloudName, identity, type Site } from './site.js';

/** Called around each activity of the cloud's workers, with its name and its queue. */
export type Around = (activity: string, work: () => Promise<unknown>, queue: string) => Promise<unknown>;

export class SimulatedCloud {
  /** Where the runbooks of schedules are. */
  folders: readonly string[] = [];

  private constructor(
    public inventory: Inventory,
    readonly datacenter: Datacenter,
    readonly hosts: readonly HostRef[],
    private readonly ports: Ports,
    private readonly remove: () => void,
  ) {}

  /** `inventory`: elsewhere than in a file of its own. */
  static async open({ inventory: place }: { inventory?: InventoryPlace } = {}): Promise<SimulatedCloud> {
    const folder = memoryFolder();
    const ports = openPorts({ dataDir: folder.path, clock: quickClock(Date.now()) });
    const datacenter = ports.datacenters.make('sim');
    const inventory = await openInventory(place ?? { path: join(folder.path, 'inventory.db') });
    const world = { cloud: cloudName, datacenter, inventory, uuid: randomUUID };
    const hosts: HostRef[] = [];
    for (const name of ['h1', 'h2', 'h3']) hosts.push(await addRoomyHost(world, name));
    return new SimulatedCloud(inventory, datacenter, hosts, ports, folder.remove);
  }

  async close(): Promise<void> {
    this.ports.close();
    await closeInventory(this.inventory);
    this.remove();
  }

  /** The inventory becomes what `restore` makes of it, as a backup is restored: while no worker runs. */
  async restored(place: InventoryPlace, restore: () => void): Promise<void> {
    await closeInventory(this.inventory);
    restore();
    this.inventory = await openInventory(place);
  }

  /** A small guest with one disk, in the datacenter and in the inventory. */
  async adopt(
    name: string,
    { host = 'h1', ...more }: Partial<Pick<NewGuest, 'state' | 'local'>> & { host?: string } = {},
  ): Promise<string> {
    const id = randomUUID();
    const on = this.hosts.find((ref) => ref.name === host);
    if (!on) throw new Error(`no host ${host}`);
    const small = { state: 'active', local: false, vcpus: 1, memoryMiB: 128, diskGiB: 1 } as const;
    await adoptGuest(this.datacenter, this.inventory, { ...small, ...more, id, name, on });
    return id;
  }

  instance(id: string): Promise<Instance> {
    return getInstance(this.inventory, id);
  }

  /** The workers of the cloud and that of the hosts; `stop` is what a deploy does. */
  async serve(
    { client, native, bundle }: Site,
    around: Around = (_activity, work) => work(),
    rules: RecoveryRules = defaultRecoveryRules,
  ): Promise<{ stop(): Promise<void> }> {
    const { inventory, ports } = this;
    const common = {
      connection: native,
      namespace: 'default',
      identity,
      shutdownGraceTime: '200ms',
      maxHeartbeatThrottleInterval: '100ms',
      maxCachedWorkflows: 200,
    } as const;
    const interceptors = { activity: [interceptor(around)] };
    const create = (queue: CloudQueue) =>
      createControlWorker({
        cloud: cloudName,
        inventory,
        client,
        common: { ...common, interceptors } as typeof common,
        ports,
        bundle,
        queue,
        rules,
        folders: this.folders,
      });
    const workers = [await create('control'), await create('recovery')];
    const stopping = new AbortController();
    const ended = Promise.all([
      ...workers.map((worker) => worker.run()),
      serveDatacenters(ports, { cloud: cloudName, common, ended: stopping.signal }),
    ]);
    return {
      async stop() {
        stopping.abort();
        for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
        await ended;
      },
    };
  }
}

const interceptor =
  (around: Around) =>
  ({ info }: Context) => ({
    inbound: {
      execute: async <I, O>(input: I, next: (input: I) => Promise<O>): Promise<O> =>
        (await around(info.activityType, () => next(input), info.taskQueue)) as O,
    },
  });
