import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Fence } from '../../model/incident.js';
import type { Disk } from '../../model/instance.js';
import { read, type Inventory } from '../inventory/database.js';
import { fenceOf } from '../inventory/fences.js';
import { getInstance } from '../inventory/instances.js';
import { hasStore, storeOf } from '../inventory/placement/storage.js';
import { listMigrations } from '../inventory/records.js';
import { hostRefOf } from '../inventory/rows.js';
import type { Answer } from '../types.js';

/** Throws FencingRequired unless the host is proven to be off, and held so. */
export async function requireHeld(inventory: Inventory, host: string): Promise<void> {
  const fence = await fenceOf(inventory, host);
  if (fence?.state === 'held') return;
  const why =
    fence === null ? 'its fence was withdrawn, or never set' : 'its fence is released: it may be back';
  throw new DroverError('FencingRequired', `nothing proves that ${host} is off: ${why}`, {
    details: { host },
    hint: `recover the host: drover host recover ${host}`,
  });
}

export async function evacuationOf(inventory: Inventory, instance: string): Promise<Answer<'evacuationOf'>> {
  const { id, host } = await getInstance(inventory, instance);
  const [last] = await listMigrations(inventory, { instance: id, limit: 1 });
  const other = last?.source === host ? last?.target : last?.source;
  const [lost, beside] = [await find(inventory, host), await find(inventory, other ?? null)];
  return {
    lost: lost?.fence?.state === 'held' ? lost.ref : null,
    beside: beside?.fence === null && beside.ref.name !== host ? beside.ref : null,
  };
}

async function find(
  inventory: Inventory,
  name: string | null,
): Promise<{ ref: HostRef; fence: Fence | null } | null> {
  if (name === null) return null;
  const row = await read(inventory, (db) =>
    db.selectFrom('hosts').select(['name', 'uri']).where('name', '=', name).executeTakeFirst(),
  );
  return row === undefined ? null : { ref: hostRefOf(row), fence: await fenceOf(inventory, name) };
}

export async function storageProof(
  inventory: Inventory,
  { instance, lost, target }: { instance: string; lost: string; target: string },
): Promise<Answer<'storageProof'>> {
  const { disks } = await getInstance(inventory, instance);
  const hosts = await read(inventory, (db) =>
    db
      .selectFrom('hosts')
      .select(['name', 'uri', 'storage'])
      .where((e) =>
        e.or([
          e('name', 'in', [lost, target]),
          e.and([e('state', '=', 'up'), e('fence', 'is', null), e('maintenance_until', 'is', null)]),
        ]),
      )
      .orderBy('name')
      .execute(),
  );
  const storageOf = (name: string): { storage: Record<string, string> } => ({
    // Written by us from what was checked.
    storage: JSON.parse(hosts.find((host) => host.name === name)?.storage ?? '{}') as Record<string, string>,
  });
  const declared = disks.filter(({ path }: Disk) => {
    const store = storeOf(storageOf(lost), path);
    return store !== undefined && hasStore(storageOf(target), store);
  });
  const witness = hosts.find(({ name }) => name !== lost && name !== target);
  return {
    declared: declared.map(({ path }) => path),
    witness: witness === undefined ? null : { name: witness.name, uri: witness.uri },
  };
}
