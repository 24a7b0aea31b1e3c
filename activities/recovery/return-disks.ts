/** Disks on a host that came back, of instances that have gone on elsewhere. */
import { DroverError } from '../../model/errors.js';
import type { Disk } from '../../model/instance.js';
import type { Owner, Request } from '../../model/operation.js';
import { diskDirectories } from '../audit/recorded.js';
import { read, transact, type Inventory } from '../inventory/database.js';
import { hostRefOf } from '../inventory/rows.js';
import { evacuatedFrom } from './return-evacuated.js';
import { keptDisks } from './kept-disks.js';
import type { KeptDisk, PerhapsStale } from './return-types.js';

/** More are not looked into: disks are in a few directories. */
const mostDirectories = 50;

export async function diskPlaces(
  inventory: Inventory,
  { host }: { host: string },
): Promise<{ directories: string[]; disks: string[]; kept?: KeptDisk[] }> {
  const kept = await read(inventory, (db) => keptDisks(db, { host }));
  const disks = await read(inventory, async (db) => {
    const evacuated = await evacuatedFrom(db, host);
    if (evacuated.length === 0) return [];
    const rows = await db.selectFrom('instances').select('disks').where('id', 'in', evacuated).execute();
    const all = rows.flatMap((row) => JSON.parse(row.disks) as Disk[]);
    return [...new Set(all.filter((disk) => !disk.readonly).map(({ path }) => path))].toSorted();
  });
  const directories = await diskDirectories(inventory, mostDirectories);
  return { directories, disks, ...(kept.length === 0 ? {} : { kept }) };
}

/** Disks whose instance is on another host under the same path: its own there, or the same file on shared storage. */
export async function perhapsStale(
  inventory: Inventory,
  { host, found }: { host: string; found: string[] },
): Promise<{ disks: PerhapsStale[] }> {
  const there = new Set(found);
  const disks = await read(inventory, async (db) => {
    const hosts = new Map(
      (await db.selectFrom('hosts').select(['name', 'uri']).execute()).map((row) => [
        row.name,
        hostRefOf(row),
      ]),
    );
    const rows = await db
      .selectFrom('instances')
      .select(['id', 'name', 'host', 'disks', 'resized'])
      .where('state', '<>', 'deleted')
      .where('host', '<>', host)
      .orderBy('name')
      .execute();
    return rows.flatMap(({ id, name, host: at, disks: text, resized }) => {
      const other = hosts.get(at ?? '');
      // What a resize keeps there is the way back.
      if (other === undefined || resized !== null) return [];
      return (JSON.parse(text) as Disk[])
        .filter((disk) => !disk.readonly && there.has(disk.path))
        .map(({ path }) => ({ instance: id, name, path, other }));
    });
  });
  return { disks };
}

/**
 * The epoch of now, so that the host's own fence lets it pass and no late step after it. The instance must stand still:
 * what moves may be on its way back.
 */
export async function claimStaleDisk(
  inventory: Inventory,
  { host, instance, path, request }: { host: string; instance: string; path: string; request: Request },
): Promise<{ owner: Owner }> {
  return transact(inventory, async (trx) => {
    const row = await trx
      .selectFrom('instances')
      .select(['host', 'state', 'op_id', 'op_kind', 'needs_repair', 'resized', 'epoch'])
      .where('id', '=', instance)
      .executeTakeFirst();
    const why =
      row === undefined || row.state === 'deleted'
        ? 'its instance is gone'
        : row.host === host || row.host === null
          ? `its instance is on ${row.host ?? 'no host'}`
          : row.op_id !== null
            ? `${row.op_kind ?? 'an operation'} runs on its instance`
            : row.needs_repair !== null || row.resized !== null
              ? 'its instance needs repair, or is resized'
              : null;
    if (why !== null || row === undefined) {
      throw new DroverError('DiskError', `${path} on ${host} stays: ${why}`, {
        details: { host, instance, path },
        hint: 'audit the inventory once that is settled: drover audit inventory',
      });
    }
    return { owner: { instance, operation: `readmit/${request.id}`, epoch: row.epoch } };
  });
}
