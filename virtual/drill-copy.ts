/** A copy of the live inventory in a cloud in virtual time: the same hosts, guests, groups, switches and fences of the window. */
import { flag, toJson } from '../activities/inventory/rows.js';
import { read, transact, type Inventory, type Trx } from '../activities/inventory/database.js';
import { refreshUsage } from '../activities/inventory/host-usage.js';
import { adoptInstance } from '../activities/inventory/instances.js';
import type { HostRow, InstanceRow } from '../activities/inventory/schema.js';
import { addMount, fileOn, putFile, storeOf } from '../activities/simulator/files.js';
import { createSimulatedHypervisor } from '../activities/simulator/hypervisor.js';
import { DroverError } from '../model/errors.js';
import type { Disk } from '../model/instance.js';
import { refOf, VirtualCloud } from './cloud.js';

export interface LiveCopy {
  cloud: VirtualCloud;
  /** What had to be taken for granted, in sentences. */
  assumed: string[];
}

/** `lost`: its own fence and incidents stay behind, since the drill begins before them. */
export async function copyOf(live: Inventory, lost: string): Promise<LiveCopy> {
  const rows = await read(live, readAll);
  const cloud = await VirtualCloud.open({ hosts: [], start: Date.parse(live.now()), log: false });
  const assumed: string[] = [];
  const networks = [...new Set(rows.instances.flatMap((row) => networksOf(row)))];
  for (const host of rows.hosts) {
    await copyHost(cloud, host, host.name === lost);
    // As known; a host that nobody asked passes, and so it has all that are needed.
    await cloud.datacenter.transact((tx) =>
      tx.run('update hosts set networks = ? where name = ?', host.networks ?? toJson(networks), host.name),
    );
  }
  await transact(cloud.inventory, async (trx) => {
    for (const group of rows.groups) await trx.insertInto('server_groups').values(group).execute();
    for (const turn of rows.switches) await trx.insertInto('recovery_switches').values(turn).execute();
    for (const incident of rows.incidents.filter(({ host }) => host !== lost))
      await trx.insertInto('incidents').values(incident).execute();
  });
  const undeclared: string[] = [];
  for (const instance of rows.instances) {
    const host = rows.hosts.find(({ name }) => name === instance.host);
    if (host === undefined) continue;
    if (await copyInstance(cloud, instance, host, rows.hosts)) undeclared.push(instance.name);
  }
  if (undeclared.length > 0)
    assumed.push(
      `disks that lie in no declared shared store are reached by every host: ${namesOf(undeclared)}`,
    );
  return { cloud, assumed };
}

async function readAll(db: Trx) {
  return {
    hosts: await db.selectFrom('hosts').selectAll().orderBy('name').execute(),
    instances: await db
      .selectFrom('instances')
      .selectAll()
      .where('state', '<>', 'deleted')
      .where('host', 'is not', null)
      .orderBy('name')
      .execute(),
    groups: await db.selectFrom('server_groups').selectAll().execute(),
    switches: await db.selectFrom('recovery_switches').selectAll().execute(),
    incidents: await db.selectFrom('incidents').selectAll().execute(),
  };
}

async function copyHost(cloud: VirtualCloud, row: HostRow, lost: boolean): Promise<void> {
  const { name, zone, slots, vcpus, memory_mib: memoryMiB } = row;
  const storage = storesOf(row);
  await cloud.addHost(name, zone ?? name, slots, { vcpus, memoryMiB, zone, storage });
  await cloud.datacenter.transact((tx) => {
    for (const [store, directory] of Object.entries(storage))
      addMount(tx, name, directory, { store: `shared/${store}`, bytes: 1024 ** 5 });
  });
  const { enabled, disabled_reason, disabled_by, labels, cpu, networks, reserved, control_plane } = row;
  const { cpu_overcommit, memory_mib_reserved, armed, fence, state, state_reason, last_seen_at } = row;
  const { maintenance_until, maintenance_by, maintenance_reason, maintenance_run } = row;
  await transact(cloud.inventory, async (trx) => {
    await trx
      .updateTable('hosts')
      .set({ enabled, disabled_reason, disabled_by, labels, cpu, networks, reserved, control_plane })
      .set({ cpu_overcommit, memory_mib_reserved, armed, state, state_reason, last_seen_at })
      .set({ maintenance_until, maintenance_by, maintenance_reason, maintenance_run })
      .set({ fence: lost ? null : fence })
      .where('name', '=', name)
      .execute();
    await refreshUsage(trx, [name]);
  });
}

const networksOf = ({ networks }: InstanceRow): string[] =>
  networks === null ? [] : (JSON.parse(networks) as string[]);

const storesOf = (row: HostRow): Record<string, string> =>
  row.storage === null ? {} : (JSON.parse(row.storage) as Record<string, string>);

/** Whether a disk of it lies in no store that anybody declared, and was taken for shared. */
async function copyInstance(
  cloud: VirtualCloud,
  row: InstanceRow,
  host: HostRow,
  hosts: readonly HostRow[],
): Promise<boolean> {
  const on = refOf(host.name);
  const disks = JSON.parse(row.disks) as Disk[];
  const nothingDeclared = hosts.every((one) => Object.keys(storesOf(one)).length === 0);
  const { datacenter, inventory } = cloud;
  let undeclared = false;
  await datacenter.transact((tx) => {
    for (const { path, format } of disks) {
      const directory = path.slice(0, Math.max(1, path.lastIndexOf('/')));
      // Where somebody declares shared stores, what lies in none of them is the host's own.
      const isOwn = !(storeOf(tx, host.name, path)?.startsWith('shared') ?? false);
      if (isOwn && nothingDeclared) {
        undeclared = true;
        for (const { name } of hosts)
          addMount(tx, name, directory, { store: `assumed${directory}`, bytes: 1024 ** 5 });
      } else if (storeOf(tx, host.name, path) === undefined)
        addMount(tx, host.name, directory, { store: `own/${host.name}`, bytes: 1024 ** 5 });
      if (fileOn(tx, host.name, path) === undefined)
        putFile(tx, host.name, { path, format, bytes: gib, allocated: gib, refers_to: null });
    }
  });
  const { id, name, vcpus, memory_mib: memoryMiB } = row;
  const hypervisor = createSimulatedHypervisor(datacenter);
  await hypervisor.define(on, { id, name, vcpus, memoryMiB, disks, bridges: [] }, nobody);
  try {
    if (row.power_state === 'running' || row.power_state === 'paused') await hypervisor.start(on, id);
    if (row.power_state === 'paused') await hypervisor.pause(on, id);
  } catch (error) {
    // A host that runs more than its memory holds does not do so here; its recovery goes by the record.
    if (!(error instanceof DroverError)) throw error;
  }
  const seen = await hypervisor.look(on, id);
  await adoptInstance(inventory, {
    id,
    name,
    host: host.name,
    state: row.state,
    powerState: row.power_state,
    flavor: null,
    vcpus,
    memoryMiB,
    disks,
    metadata: {},
    definition: seen?.definition,
  });
  const { server_group, ha_policy, locked, locked_by, lock_reason, cpu_mode, networks } = row;
  const { needs_repair, fault, resized, saved } = row;
  await transact(inventory, (trx) =>
    trx
      .updateTable('instances')
      .set({
        server_group,
        ha_policy,
        locked: flag(locked === 1),
        locked_by,
        lock_reason,
        cpu_mode,
        networks,
      })
      .set({ needs_repair, fault, resized, saved })
      .where('id', '=', id)
      .execute(),
  );
  return undeclared;
}

const gib = 1024 ** 3;
const nobody = { instance: '', operation: '', epoch: 0 };
const namesOf = (names: readonly string[]): string =>
  names.slice(0, 10).join(', ') + (names.length > 10 ? ` and ${names.length - 10} more` : '');
