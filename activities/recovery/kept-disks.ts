/**
 * Disks that were to be removed while their host was fenced. What another host reaches too is removed from there; a disk of
 * the host's own is kept in mind (an intent of state `kept`) until the host is readmitted.
 */
import { hostOfPlace } from '../../model/addresses.js';
import type { Disk } from '../../model/instance.js';
import type { Owner, Request, Settled } from '../../model/operation.js';
import { read, transact, type Inventory, type Trx } from '../inventory/database.js';
import { fenceIn } from '../inventory/fences.js';
import { closeIntents } from '../inventory/intents.js';
import { hasStore, storeOf } from '../inventory/placement/storage.js';
import { hostRefOf } from '../inventory/rows.js';
import type { DiskSharers, KeptDisk } from './return-types.js';

/** Hosts that are asked, before it is left to the readmission. */
const mostSharers = 3;

/** Only of what was terminated there: anything else may have gone on with a disk under the same path. */
export async function diskSharers(
  inventory: Inventory,
  { operation, instance, path, lost }: { operation: string; instance: string; path: string; lost: string },
): Promise<DiskSharers> {
  return read(inventory, async (db) => {
    const none: DiskSharers = { format: 'qcow2', declared: [], others: [] };
    const order = await db
      .selectFrom('operations')
      .select(['kind', 'host'])
      .where('id', '=', operation)
      .executeTakeFirst();
    if (order?.kind !== 'terminate' || order.host !== lost) return none;
    const fence = await fenceIn(db, lost);
    if (fence === null || fence.state === 'withdrawn') return none;
    const row = await db
      .selectFrom('instances')
      .select('disks')
      .where('id', '=', instance)
      .executeTakeFirst();
    const disk = disksOf(row).find((one) => one.path === path);
    if (disk === undefined || (await whoElseHas(db, { instance, path })) !== null) return none;
    const hosts = await db
      .selectFrom('hosts')
      .select(['name', 'uri', 'storage', 'state', 'fence', 'maintenance_until'])
      .orderBy('name')
      .execute();
    const live = hosts.filter(
      (one) => one.state === 'up' && one.fence === null && one.maintenance_until === null,
    );
    const storage = (text: string | null | undefined) =>
      // Written by us from what was checked.
      ({ storage: JSON.parse(text ?? '{}') as Record<string, string> });
    const store = storeOf(storage(hosts.find(({ name }) => name === lost)?.storage), path);
    const declared = live.filter((one) => store !== undefined && hasStore(storage(one.storage), store));
    return {
      format: disk.format,
      declared: declared.slice(0, mostSharers).map(hostRefOf),
      others: live.slice(0, mostSharers).map(hostRefOf),
    };
  });
}

const disksOf = (row: { disks: string } | undefined): Disk[] => JSON.parse(row?.disks ?? '[]') as Disk[];

/** The name of another instance that has a disk under that path, wherever. */
async function whoElseHas(
  db: Trx,
  { instance, path }: { instance: string; path: string },
): Promise<string | null> {
  const rows = await db
    .selectFrom('instances')
    .select(['name', 'disks'])
    .where('id', '<>', instance)
    .where('state', '<>', 'deleted')
    .where('disks', 'like', `%${JSON.stringify(path).slice(1, -1)}%`)
    .execute();
  return rows.find((row) => disksOf(row).some((disk) => disk.path === path))?.name ?? null;
}

const keptRows = (db: Trx) =>
  db
    .selectFrom('intents')
    .innerJoin('instances', 'instances.id', 'intents.instance')
    .select([
      'intents.operation',
      'intents.seq',
      'intents.instance',
      'intents.input',
      'intents.on_host',
      'instances.name',
      'instances.state',
    ])
    .where('intents.state', '=', 'kept')
    .orderBy('instances.name')
    .orderBy('intents.operation')
    .orderBy('intents.seq');

type Row = Awaited<ReturnType<ReturnType<typeof keptRows>['execute']>>[number];

function keptOf({ operation, seq, instance, name, input, on_host: place }: Row): KeptDisk {
  const { path, onlyIfMade } = JSON.parse(input) as { path: string; onlyIfMade?: boolean };
  const host = hostOfPlace(place ?? '');
  return { operation, seq, instance, name, path, host, onlyIfMade: onlyIfMade === true };
}

/** Those that a host has, or those of an instance. */
export async function keptDisks(db: Trx, of: { host: string } | { instance: string }): Promise<KeptDisk[]> {
  const rows = 'instance' in of ? keptRows(db).where('intents.instance', '=', of.instance) : keptRows(db);
  const all = (await rows.execute()).map(keptOf);
  return 'host' in of ? all.filter(({ host }) => host === of.host) : all;
}

export const listKeptDisks = (
  inventory: Inventory,
  of: { host: string } | { instance: string },
): Promise<KeptDisk[]> => read(inventory, (db) => keptDisks(db, of));

/**
 * Takes a kept disk to remove it, under a new epoch, so that the host's own fence lets it pass and nothing late after it.
 * What somebody has under that path by now stays, and is kept in mind no longer.
 */
export async function claimKeptDisk(
  inventory: Inventory,
  { host, kept: { operation, seq }, request }: { host: string; kept: KeptDisk; request: Request },
): Promise<{ owner: Owner } | { stays: string }> {
  return transact(inventory, async (trx) => {
    const row = (await keptDisks(trx, { host })).find(
      (one) => one.operation === operation && one.seq === seq,
    );
    if (row === undefined) return { stays: 'it is settled already' };
    const { instance, path } = row;
    const it = await trx
      .selectFrom('instances')
      .select(['state', 'op_id', 'op_kind', 'resized', 'disks', 'epoch'])
      .where('id', '=', instance)
      .executeTakeFirstOrThrow();
    const lives = it.state !== 'deleted';
    const other = await whoElseHas(trx, { instance, path });
    const stays =
      other !== null
        ? `it is a disk of ${other}`
        : lives && (it.resized !== null || disksOf(it).some((disk) => disk.path === path))
          ? `${row.name} has it`
          : it.op_id === null
            ? null
            : `${it.op_kind ?? 'an operation'} runs on ${row.name}`;
    if (stays !== null) {
      if (it.op_id === null) await closeIntents(trx, [row]);
      return { stays };
    }
    const epoch = it.epoch + 1;
    await trx.updateTable('instances').set({ epoch }).where('id', '=', instance).execute();
    return { owner: { instance, operation: `readmit/${request.id}`, epoch } };
  });
}

/** It is removed. */
export const closeKeptDisk = (inventory: Inventory, { operation, seq }: Settled): Promise<void> =>
  transact(inventory, (trx) => closeIntents(trx, [{ operation, seq }]));

/** The host is back: what is kept still is the janitor's, as all that an operation left; of what lives it is an audit's. */
export async function reopenKept(trx: Trx, host: string): Promise<void> {
  for (const { operation, seq, instance, path } of await keptDisks(trx, { host })) {
    const { state } = await trx
      .selectFrom('instances')
      .select('state')
      .where('id', '=', instance)
      .executeTakeFirstOrThrow();
    const gone = state === 'deleted';
    await trx
      .updateTable('intents')
      .set({ state: gone ? 'open' : 'closed' })
      .where('operation', '=', operation)
      .where('seq', '=', seq)
      .execute();
    if (!gone) continue;
    const says = `the disk ${path} on ${host}, which is back`;
    await trx.updateTable('instances').set({ needs_repair: says }).where('id', '=', instance).execute();
  }
}
