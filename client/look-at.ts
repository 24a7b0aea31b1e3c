/** One instance, or one host, with all that is shown beside it. */
import type { Inventory } from '../activities/inventory/database.js';
import { getHost } from '../activities/inventory/hosts.js';
import { getInstance, history, listInstances } from '../activities/inventory/instances.js';
import { listMigrations } from '../activities/inventory/records.js';
import { listKeptDisks } from '../activities/recovery/kept-disks.js';
import type { KeptDisk } from '../activities/types.js';
import type { Host } from '../model/host.js';
import type { Instance } from '../model/instance.js';
import type { MigrationRecord, OperationRecord } from '../model/operation.js';

const last = 5;
const newest = 500;

/** Throws NotFound, Ambiguous. */
export async function lookAtInstance(
  inventory: Inventory,
  name: string,
): Promise<{
  instance: Instance;
  /** The last of both. */
  operations: OperationRecord[];
  migrations: MigrationRecord[];
  kept: KeptDisk[];
}> {
  const instance = await getInstance(inventory, name);
  const { id } = instance;
  const operations = await history(inventory, id, last);
  const migrations = await listMigrations(inventory, { instance: id, limit: last });
  return { instance, operations, migrations, kept: await listKeptDisks(inventory, { instance: id }) };
}

/** Throws NotFound. */
export async function lookAtHost(
  inventory: Inventory,
  name: string,
): Promise<{
  host: Host;
  instances: Instance[];
  /** Those that run. */
  migrations: MigrationRecord[];
  kept: KeptDisk[];
}> {
  const host = await getHost(inventory, name);
  const instances = await listInstances(inventory, { host: name });
  const migrations = (await listMigrations(inventory, { limit: newest })).filter(
    ({ state, source, target }) => state === 'running' && (source === name || target === name),
  );
  return { host, instances, migrations, kept: await listKeptDisks(inventory, { host: name }) };
}
