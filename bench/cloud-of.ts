/** An inventory with so many hosts and instances, written without the operations that would make them. */
import { join } from 'node:path';
import { closeInventory, openInventory, transact, type Inventory } from '../activities/inventory/database.js';
import { refreshUsage } from '../activities/inventory/host-usage.js';
import { toJson } from '../activities/inventory/rows.js';
import type { AllocationRow, HostRow, InstancesTable } from '../activities/inventory/schema.js';
import type { Insertable } from 'kysely';
import type { Session } from './session.js';

const at = '2026-01-01T00:00:00.000Z';
const perHost = 20;
/** Rows of one statement. */
const batch = 200;

/** As many features as a processor of today has. */
const features = Array.from({ length: 110 }, (_, index) => `feature-${index + 1}`);

export const hostName = (index: number): string => `host-${index + 1}`;

export async function cloudOf(session: Session, hosts: number): Promise<Inventory> {
  const inventory = await openInventory({ path: join(session.folder(), 'inventory.db') });
  session.atEnd(() => closeInventory(inventory));
  session.say(`${hosts} hosts with ${perHost} instances each`);
  await transact(inventory, async (trx) => {
    const rows = Array.from({ length: hosts }, (_, index) => hostRow(index));
    for (const some of batches(rows)) await trx.insertInto('hosts').values(some).execute();
    const count = hosts * perHost;
    const guests = Array.from({ length: count }, (_, index) => index);
    for (const some of batches(guests)) {
      await trx
        .insertInto('instances')
        .values(some.map((index) => instanceRow(index, hostName(index % hosts))))
        .execute();
      await trx
        .insertInto('allocations')
        .values(some.map((index) => allocationRow(index, hostName(index % hosts))))
        .execute();
    }
    await refreshUsage(
      trx,
      rows.map((row) => row.name),
    );
  });
  return inventory;
}

function* batches<T>(rows: readonly T[]): Generator<T[]> {
  for (let from = 0; from < rows.length; from += batch) yield rows.slice(from, from + batch);
}

const hostRow = (index: number): HostRow => ({
  name: hostName(index),
  uri: `test+ssh://${hostName(index)}/system`,
  state: 'up',
  state_reason: null,
  enabled: 1,
  disabled_reason: null,
  disabled_by: null,
  maintenance_until: null,
  maintenance_by: null,
  maintenance_reason: null,
  maintenance_run: null,
  zone: `zone-${(index % 3) + 1}`,
  cpu: toJson({ arch: 'x86_64', vendor: 'AMD', model: 'EPYC', features }),
  networks: toJson(['br0', 'default']),
  storage: toJson({ nfs1: '/srv/shared' }),
  fence: null,
  armed: null,
  fence_devices: null,
  reserved: 0,
  control_plane: 0,
  system_uuid: `uuid-${index}`,
  hostname: hostName(index),
  hypervisor: 'bench',
  vcpus: 64,
  cpu_overcommit: 4,
  memory_mib: 131_072 + (index % 17) * 1024,
  memory_mib_reserved: 512,
  slots: 4,
  labels: toJson({ rack: `rack-${index % 40}` }),
  last_seen_at: at,
  created_at: at,
});

export const instanceRow = (index: number, host: string | null): Insertable<InstancesTable> => ({
  id: `instance-${index}`,
  name: `vm-${index}`,
  state: host === null ? 'building' : 'active',
  power_state: host === null ? 'absent' : 'running',
  host,
  flavor: null,
  vcpus: 2,
  memory_mib: 4096,
  disks: toJson([{ target: 'vda', path: `/srv/shared/vm-${index}.qcow2`, format: 'qcow2', readonly: false }]),
  image: null,
  locked: 0,
  lock_reason: null,
  locked_by: null,
  needs_repair: null,
  fault: null,
  server_group: null,
  cpu_mode: 'host-model',
  networks: toJson(['br0']),
  metadata: '{}',
  op_id: null,
  op_kind: null,
  op_workflow_id: null,
  op_run_id: null,
  epoch: 0,
  created_at: at,
  updated_at: at,
});

const allocationRow = (index: number, host: string): AllocationRow => ({
  id: `instance/instance-${index}`,
  instance: `instance-${index}`,
  host,
  operation: null,
  vcpus: 2,
  memory_mib: 4096,
  slots: 0,
});
