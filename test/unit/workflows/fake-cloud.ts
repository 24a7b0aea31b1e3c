/** A small cloud for tests: three hosts of the fake world, the real inventory on a file, and who runs which workflow. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { createInventoryActivities, type InventoryDeps } from '../../../activities/inventory/activities.js';
import { closeInventory, openInventory, type Inventory } from '../../../activities/inventory/database.js';
import { hypervisorInventory } from '../../../activities/inventory/for-hypervisor.js';
import { addHost, recordProbe } from '../../../activities/inventory/hosts.js';
import { adoptInstance, getInstance } from '../../../activities/inventory/instances.js';
import type { Activities, Implement } from '../../../activities/types.js';
import { createWaitActivities } from '../../../activities/wait.js';
import type { Instance, InstanceState, PowerState } from '../../../model/instance.js';
import { fakeDisks } from './fake-disks.js';
import { fakeHosts, fakeHostWait } from './fake-hosts.js';
import { FakeTime } from './fake-time.js';
import type { FakeRun } from './fake-runtime.js';
import { FakeWorld } from './fake-world.js';

export const hostNames = ['h1', 'h2', 'h3'];
const capabilities = new Set(['launch', 'pause', 'liveMigration', 'blockMigration', 'console']);
const powers: Partial<Record<InstanceState, PowerState>> = {
  active: 'running',
  paused: 'paused',
  stopped: 'shutoff',
};

/** What the fakes are told of Temporal: the newest run of each workflow id. */
export interface FakeWorkflow {
  type: string;
  runId: string;
  open: boolean;
}

/** The sweeps open thousands: a file in memory, copied from one that has its tables and hosts. */
const fast = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
let template: Promise<Buffer> | undefined;

async function makeTemplate(): Promise<Buffer> {
  const folder = mkdtempSync(join(fast, 'drover-cloud-'));
  const path = join(folder, 'inventory.db');
  const inventory = await openInventory({ path });
  for (const name of hostNames) {
    const settings = { slots: 2, cpuOvercommit: 1, memoryMiBReserved: 0, labels: {} };
    await addHost(inventory, { name, uri: `fake://${name}`, ...settings });
    const facts = { hostname: name, systemUuid: name, vcpus: 16, memoryMiB: 32_768, hypervisor: 'fake' };
    await recordProbe(inventory, name, { up: true, facts });
  }
  // All of it into the one file that is copied.
  await sql`pragma wal_checkpoint(truncate)`.execute(inventory.kysely);
  await closeInventory(inventory);
  const bytes = readFileSync(path);
  rmSync(folder, { recursive: true, force: true });
  return bytes;
}

export class FakeCloud {
  readonly world = new FakeWorld(hostNames);
  readonly time = new FakeTime();
  readonly workflows = new Map<string, FakeWorkflow>();
  /** The newest run of each workflow id, to reach into it from outside. */
  readonly runs = new Map<string, FakeRun>();
  /** The most operations on instances that ever ran at the same time. */
  most = 0;
  private constructor(
    readonly inventory: Inventory,
    private readonly folder: string,
  ) {}

  static async open(): Promise<FakeCloud> {
    const folder = mkdtempSync(join(fast, 'drover-cloud-'));
    const path = join(folder, 'inventory.db');
    template ??= makeTemplate();
    writeFileSync(path, await template);
    return new FakeCloud(await openInventory({ path }), folder);
  }

  async close(): Promise<void> {
    await closeInventory(this.inventory);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A guest of 1 vCPU and 1 GiB with one disk, in the world and in the inventory. */
  async adopt(
    name: string,
    options: { host?: string; state?: InstanceState; directory?: string } = {},
  ): Promise<string> {
    const { host = 'h1', state = 'active', directory = '/shared' } = options;
    const id = randomUUID();
    const power = powers[state] ?? 'absent';
    const path = `${directory}/${id}.qcow2`;
    const disks = [{ target: 'vda', path, format: 'qcow2' as const, readonly: false }];
    if (power !== 'absent') this.world.host(host).guests.set(id, { name, power, disks, epoch: 0 });
    this.world.disks.push({ host: this.world.store(host, path), path, instance: id });
    await adoptInstance(this.inventory, {
      id,
      name,
      host,
      state,
      powerState: power,
      flavor: null,
      vcpus: 1,
      memoryMiB: 1024,
      disks,
      metadata: {},
    });
    return id;
  }

  started(run: FakeRun): void {
    this.runs.set(run.workflowId, run);
    const open = [...this.workflows].filter(
      ([id, { open: runs }]) => runs && id.startsWith('fake/instance/'),
    );
    this.most = Math.max(this.most, open.length);
  }

  instance(id: string): Promise<Instance> {
    return getInstance(this.inventory, id);
  }

  /** What a control worker has. */
  control(
    temporal: Pick<InventoryDeps, 'currentRun' | 'isCurrentRun' | 'isOpen'> & {
      describe(id: string): Promise<{ open: boolean; type: string } | null>;
    },
  ): Partial<Implement<Activities>> & Pick<Implement<Activities>, 'admit'> {
    const { inventory, world } = this;
    return {
      ...createInventoryActivities({ inventory, capabilities, ...temporal }),
      ...world.hypervisor(hypervisorInventory(inventory)),
      ...fakeHostWait(world),
      ...createWaitActivities({ describe: (id) => temporal.describe(id), pollMs: 5 }),
    };
  }

  /** What the worker of a host has. */
  hostWorker(host: string): Partial<Implement<Activities>> {
    return { ...fakeDisks(this.world, host), ...fakeHosts(this.world, host) };
  }
}
