import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Fence } from '../../model/incident.js';
import { read, type Inventory } from '../inventory/database.js';
import { fenceOf } from '../inventory/fences.js';
import { getInstance } from '../inventory/instances.js';
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
