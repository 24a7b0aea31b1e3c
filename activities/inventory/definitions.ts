/** How guests were defined when they were seen last: all that is left of them when their host is lost. */
import type { GuestView } from '../hypervisor/port.js';
import { read, transact, type Inventory, type Trx } from './database.js';

type Seen = Pick<GuestView, 'id' | 'definition'>;

export async function definitionOf(inventory: Inventory, instance: string): Promise<string | null> {
  const row = await read(inventory, (db) =>
    db.selectFrom('definitions').select('definition').where('instance', '=', instance).executeTakeFirst(),
  );
  return row?.definition ?? null;
}

/** Writes those that are new or changed: most who look see what is known. */
export async function keepDefinitions(
  inventory: Inventory,
  host: string,
  guests: readonly Seen[],
): Promise<void> {
  if (guests.length === 0) return;
  const known = await read(inventory, (db) =>
    db
      .selectFrom('definitions')
      .select(['instance', 'definition', 'host'])
      .where(
        'instance',
        'in',
        guests.map(({ id }) => id),
      )
      .execute(),
  );
  const before = new Map(known.map((row) => [row.instance, row]));
  const fresh = guests.filter(({ id, definition }) => {
    const row = before.get(id);
    return row?.definition !== definition || row.host !== host;
  });
  if (fresh.length === 0) return;
  await transact(inventory, async (trx) => {
    for (const guest of fresh) await writeDefinition(trx, host, guest, inventory.now());
  });
}

export async function writeDefinition(
  trx: Trx,
  host: string,
  { id: instance, definition }: Seen,
  now: string,
): Promise<void> {
  const row = { definition, host, seen_at: now };
  await trx
    .insertInto('definitions')
    .values({ instance, ...row })
    .onConflict((conflict) => conflict.column('instance').doUpdateSet(row))
    .execute();
}

/**
 * Of all guests that a host has, the definitions of those that are at home there: another copy of a guest may be older,
 * and what an operation works on it records itself.
 */
export async function keepDefinitionsSeen(
  inventory: Inventory,
  host: string,
  guests: readonly Seen[],
): Promise<void> {
  const home = await read(inventory, (db) =>
    db.selectFrom('instances').select('id').where('host', '=', host).where('op_id', 'is', null).execute(),
  );
  const ids = new Set(home.map(({ id }) => id));
  await keepDefinitions(
    inventory,
    host,
    guests.filter(({ id }) => ids.has(id)),
  );
}
