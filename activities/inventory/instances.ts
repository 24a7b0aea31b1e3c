import type { SelectQueryBuilder } from 'kysely';
import { DroverError } from '../../model/errors.js';
import {
  instanceStates,
  type Disk,
  type Instance,
  type InstanceState,
  type PowerState,
} from '../../model/instance.js';
import type { OperationRecord } from '../../model/operation.js';
import { addAllocations, permanentId } from './allocations.js';
import { read, transact, type Inventory, type Trx } from './database.js';
import { writeDefinition } from './definitions.js';
import { refuseBroken } from './group-members.js';
import { hostsWithUsage, requireHost } from './hosts.js';
import { movedFrom } from './moved.js';
import { suggestion } from './no-such.js';
import { listOperations } from './records.js';
import { flag, instanceOf, jsonOrNull, toJson } from './rows.js';
import type { InstanceRow, Tables } from './schema.js';

/** By id (also of a deleted instance), or by the name of a living one. */
export async function getInstance(inventory: Inventory, nameOrId: string): Promise<Instance> {
  return instanceOf(await read(inventory, (db) => findInstance(db, nameOrId)));
}

async function findInstance(db: Trx, nameOrId: string): Promise<InstanceRow> {
  const byId = await db.selectFrom('instances').selectAll().where('id', '=', nameOrId).executeTakeFirst();
  if (byId !== undefined) return byId;
  const living = db.selectFrom('instances').where('state', '<>', 'deleted').orderBy('name').orderBy('id');
  const [row, ...more] = await living.selectAll().where('name', '=', nameOrId).execute();
  if (row === undefined) {
    const names = await living.select('name').execute();
    const guess = suggestion(
      nameOrId,
      names.map((other) => other.name),
    );
    throw new DroverError('NotFound', `no instance has the name or id "${nameOrId}"${guess}`, {
      details: { instance: nameOrId },
    });
  }
  if (more.length > 0) {
    const candidates = [row, ...more].map(({ id, host, state }) => ({ id, host, state }));
    const lines = candidates.map(
      (one) => `  ${one.id} (${one.state}, ${one.host === null ? 'on no host' : `on ${one.host}`})`,
    );
    throw new DroverError(
      'Ambiguous',
      `${candidates.length} instances have the name "${nameOrId}":\n${lines.join('\n')}`,
      { details: { candidates } },
    );
  }
  return row;
}

interface Listing {
  host?: string | undefined;
  state?: string | undefined;
  /** Those that a migration took away from that host, as their last one, and that still are where it put them. */
  moved_from?: string | undefined;
}

/**
 * By name. Deleted instances are listed only when asked for by their state. `limit`: the first so many in the order
 * of ids, in which `listInstanceNames` goes on; `ids`: exactly those, also deleted ones.
 */
export async function listInstances(
  inventory: Inventory,
  by: Listing & { limit?: number | undefined; ids?: readonly string[] | undefined } = {},
): Promise<Instance[]> {
  const { ids, limit } = by;
  const rows = await read(inventory, async (db) => {
    if (ids !== undefined) return db.selectFrom('instances').selectAll().where('id', 'in', ids).execute();
    const listed = (await matching(db, by)).selectAll();
    return limit === undefined
      ? listed.orderBy('name').orderBy('id').execute()
      : listed.orderBy('id').limit(limit).execute();
  });
  return rows.map(instanceOf);
}

/** A page of who there is, in the order of ids, after the id `after`. */
export async function listInstanceNames(
  inventory: Inventory,
  by: Listing & { after?: string | undefined; limit: number },
): Promise<{ id: string; name: string }[]> {
  const { after, limit } = by;
  return read(inventory, async (db) =>
    (await matching(db, by))
      .select(['id', 'name'])
      .$if(after !== undefined, (query) => query.where('id', '>', after ?? ''))
      .orderBy('id')
      .limit(limit)
      .execute(),
  );
}

async function matching(db: Trx, by: Listing): Promise<SelectQueryBuilder<Tables, 'instances', object>> {
  const state = by.state === undefined ? undefined : asState(by.state);
  for (const host of [by.host, by.moved_from]) if (host !== undefined) await requireHost(db, host);
  return db
    .selectFrom('instances')
    .where((e) => (state === undefined ? e('state', '<>', 'deleted') : e('state', '=', state)))
    .$if(by.host !== undefined, (query) => query.where('host', '=', by.host ?? ''))
    .$if(by.moved_from !== undefined, (query) => query.where('id', 'in', movedFrom(db, by.moved_from ?? '')));
}

function asState(text: string): InstanceState {
  const state = instanceStates.find((known) => known === text);
  if (state !== undefined) return state;
  throw new DroverError(
    'InvalidInput',
    `"${text}" is no state of an instance${suggestion(text, instanceStates)}`,
    {
      hint: `the states are ${instanceStates.join(', ')}`,
    },
  );
}

/** The operations of an instance, newest first. */
export const history = (inventory: Inventory, instance: string, limit?: number): Promise<OperationRecord[]> =>
  listOperations(inventory, { instance, limit });

export interface Adoption {
  id: string;
  name: string;
  host: string;
  state: InstanceState;
  powerState: PowerState;
  flavor: string | null;
  vcpus: number;
  memoryMiB: number;
  disks: Disk[];
  metadata: Record<string, string>;
  /** Above what its hosts have seen of it, where it was an instance before. */
  epoch?: number | undefined;
  serverGroup?: string | null | undefined;
  cpuMode?: string | null | undefined;
  networks?: string[] | null | undefined;
  /** In its hypervisor's words. */
  definition?: string | undefined;
}

/**
 * Takes a guest into the inventory that runs already. It may exceed the host's capacity, since refusing would
 * not make the guest smaller: the answer's warnings say so.
 */
export async function adoptInstance(
  inventory: Inventory,
  guest: Adoption,
): Promise<{ instance: Instance; warnings: string[] }> {
  return transact(inventory, async (trx) => {
    await requireHost(trx, guest.host);
    const found = await trx
      .selectFrom('instances')
      .select(['name', 'state', 'host'])
      .where('id', '=', guest.id)
      .executeTakeFirst();
    if (found !== undefined) {
      const where = found.host === null ? found.state : `${found.state}, on ${found.host}`;
      throw new DroverError(
        'AlreadyExists',
        `the inventory has ${guest.id} already: instance ${found.name} (${where})`,
        {
          details: { instance: guest.id, name: found.name },
          hint: 'nothing, if it is that guest; otherwise it is a copy, and must not run',
        },
      );
    }
    if (guest.serverGroup) await refuseBroken(trx, guest, guest.serverGroup, [guest.host]);
    const now = inventory.now();
    await insertInstance(trx, { ...guest, image: null, needsRepair: null }, now);
    await addAllocations(trx, [
      {
        id: permanentId(guest.id),
        instance: guest.id,
        host: guest.host,
        operation: null,
        vcpus: guest.vcpus,
        memory_mib: guest.memoryMiB,
        slots: 0,
      },
    ]);
    const row = await trx
      .selectFrom('instances')
      .selectAll()
      .where('id', '=', guest.id)
      .executeTakeFirstOrThrow();
    return { instance: instanceOf(row), warnings: await overfull(trx, inventory, guest.host) };
  });
}

async function overfull(trx: Trx, inventory: Inventory, name: string): Promise<string[]> {
  const host = (await hostsWithUsage(trx, inventory)).find((one) => one.name === name);
  if (host === undefined) return [];
  const memory = host.memoryMiB - host.memoryMiBReserved;
  const vcpus = Math.floor(host.vcpus * host.cpuOvercommit);
  return [
    ...(host.memoryMiBUsed > memory
      ? [
          `host ${name} now has ${host.memoryMiBUsed} MiB of memory in use, more than its ${memory} MiB: nothing more is placed there`,
        ]
      : []),
    ...(host.vcpusUsed > vcpus
      ? [
          `host ${name} now has ${host.vcpusUsed} vCPUs in use, more than its ${vcpus}: nothing more is placed there`,
        ]
      : []),
  ];
}

/** A new row that no operation owns. */
export async function insertInstance(
  trx: Trx,
  instance: Omit<Adoption, 'host'> & {
    host: string | null;
    image: string | null;
    needsRepair: string | null;
  },
  now: string,
): Promise<void> {
  const { id, host, definition } = instance;
  if (host !== null && definition !== undefined) await writeDefinition(trx, host, { id, definition }, now);
  await trx
    .insertInto('instances')
    .values({
      id: instance.id,
      name: instance.name,
      state: instance.state,
      power_state: instance.powerState,
      host: instance.host,
      flavor: instance.flavor,
      vcpus: instance.vcpus,
      memory_mib: instance.memoryMiB,
      disks: toJson(instance.disks),
      image: instance.image,
      locked: flag(false),
      lock_reason: null,
      locked_by: null,
      needs_repair: instance.needsRepair,
      fault: null,
      server_group: instance.serverGroup ?? null,
      cpu_mode: instance.cpuMode ?? null,
      networks: jsonOrNull(instance.networks ?? null),
      metadata: toJson(instance.metadata),
      op_id: null,
      op_kind: null,
      op_workflow_id: null,
      op_run_id: null,
      epoch: instance.epoch ?? 0,
      created_at: now,
      updated_at: now,
    })
    .execute();
}

/** Locks (with its reason and who) or unlocks (null). */
export async function setLock(
  inventory: Inventory,
  instance: string,
  lock: { reason: string; by: string } | null,
): Promise<Instance> {
  return transact(inventory, async (trx) => {
    const { id } = await findInstance(trx, instance);
    const row = await trx
      .updateTable('instances')
      .set({
        locked: flag(lock !== null),
        lock_reason: lock?.reason ?? null,
        locked_by: lock?.by ?? null,
        updated_at: inventory.now(),
      })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow();
    return instanceOf(row);
  });
}
