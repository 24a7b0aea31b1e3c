/** What the inventory records, as an audit compares it; and what is to be left alone. */
import type { SeenHost } from '../../model/audit.js';
import type { Instance } from '../../model/instance.js';
import { read, type Inventory, type Trx } from '../inventory/database.js';
import { sourceSlotId } from '../inventory/allocations.js';
import { knownOperations, stampedIn } from '../inventory/restored.js';
import { instanceOf } from '../inventory/rows.js';
import type { Allocation, WorldInput } from './world.js';

export async function recorded(
  inventory: Inventory,
  { since, seen }: { since: string; seen: ReadonlyMap<string, SeenHost> },
): Promise<WorldInput> {
  return read(inventory, async (db) => {
    const rows = await db.selectFrom('instances').selectAll().where('state', '<>', 'deleted').execute();
    const instances = rows.map(instanceOf);
    const gone = await db
      .selectFrom('instances')
      .select(['id', 'name', 'op_id', 'needs_repair', 'updated_at'])
      .where('state', '=', 'deleted')
      .execute();
    const keeping = await keptDisks(db);
    const skipped = new Map<string, string>();
    for (const one of instances) {
      const why = whyLeft(one, since);
      if (why !== null) skipped.set(one.id, why);
    }
    for (const { id, op_id, needs_repair, updated_at } of gone) {
      if (op_id !== null || needs_repair !== null || updated_at > since)
        skipped.set(id, 'is just being removed');
    }
    const groups = await db.selectFrom('server_groups').select(['name', 'policy']).execute();
    const names = await db.selectFrom('hosts').select('name').orderBy('name').execute();
    const notAsked: SeenHost = { state: 'silent', reason: 'it was not looked at' };
    return {
      instances,
      deleted: new Map(gone.map(({ id, name }) => [id, { name, keepsDisks: keeping.has(id) }])),
      skipped,
      allocations: await allocations(db),
      usage: await usage(db),
      groups: new Map(groups.map(({ name, policy }) => [name, policy])),
      operations: await knownOperations(db, stampedIn(seen)),
      hosts: new Map(names.map(({ name }) => [name, seen.get(name) ?? notAsked])),
    };
  });
}

/** An instance is judged only when it stood still from before the first look until now. */
function whyLeft({ task, operation, needsRepair, updatedAt }: Instance, since: string): string | null {
  if (operation !== null) return `${task ?? 'an operation'} runs on it`;
  if (needsRepair !== null) return `it needs repair, which the janitor tries: ${needsRepair}`;
  return updatedAt > since ? 'it was changed while the hosts were looked at' : null;
}

/** Instances that were terminated with their disks left on purpose. */
async function keptDisks(db: Trx): Promise<Set<string>> {
  const rows = await db
    .selectFrom('operations')
    .select(['instance', 'input'])
    .where('kind', '=', 'terminate')
    .where('input', 'like', '%"keep_disks":true%')
    .execute();
  return new Set(rows.flatMap(({ instance }) => instance ?? []));
}

async function allocations(db: Trx): Promise<Allocation[]> {
  const rows = await db
    .selectFrom('allocations')
    .leftJoin('operations', 'operations.id', 'allocations.operation')
    .selectAll('allocations')
    .select(['operations.id as known', 'operations.ended_at'])
    .execute();
  const awaited = await openReleases(db);
  return rows.map((row) => ({
    id: row.id,
    instance: row.instance,
    host: row.host,
    operation: row.operation,
    vcpus: row.vcpus,
    memoryMiB: row.memory_mib,
    slots: row.slots,
    awaited: (row.operation !== null && row.known !== null && row.ended_at === null) || awaited.has(row.id),
  }));
}

async function usage(db: Trx): Promise<WorldInput['usage']> {
  const rows = await db.selectFrom('host_usage').selectAll().execute();
  return new Map(
    rows.map((row) => [
      row.host,
      { vcpus: row.vcpus_used, memoryMiB: row.memory_mib_used, slots: row.slots_used },
    ]),
  );
}

async function openReleases(db: Trx): Promise<Set<string>> {
  const rows = await db
    .selectFrom('intents')
    .select('input')
    .where('activity', '=', 'releaseClaim')
    .where('state', '=', 'open')
    .execute();
  return new Set(
    rows.flatMap(({ input }) => {
      const { claim } = JSON.parse(input) as { claim?: string };
      return claim === undefined ? [] : [claim, sourceSlotId(claim)];
    }),
  );
}

/** Directories where the disks of instances are, those with most of them first. */
export async function diskDirectories(inventory: Inventory, most: number): Promise<string[]> {
  const rows = await read(inventory, (db) =>
    db.selectFrom('instances').select('disks').where('state', '<>', 'deleted').execute(),
  );
  const counts = new Map<string, number>();
  for (const { disks } of rows) {
    for (const { path, readonly } of JSON.parse(disks) as Instance['disks']) {
      if (readonly) continue;
      const directory = path.slice(0, path.lastIndexOf('/')) || '/';
      counts.set(directory, (counts.get(directory) ?? 0) + 1);
    }
  }
  return [...counts]
    .toSorted(([one, a], [other, b]) => b - a || (one < other ? -1 : 1))
    .slice(0, most)
    .map(([directory]) => directory)
    .toSorted();
}
