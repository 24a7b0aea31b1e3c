/** Which hosts are fenced: nothing is asked of them, and nothing that is left there is waited for. */
import type { Fence } from '../../model/incident.js';
import { hostOfPlace } from '../../model/addresses.js';
import type { Intent } from '../../model/operation.js';
import { read, type Inventory, type Trx } from './database.js';
import { fromJson } from './rows.js';

export async function fenceOf(inventory: Inventory, host: string): Promise<Fence | null> {
  return read(inventory, (db) => fenceIn(db, host));
}

export async function fenceIn(db: Trx, host: string): Promise<Fence | null> {
  const row = await db.selectFrom('hosts').select('fence').where('name', '=', host).executeTakeFirst();
  return fromJson(row?.fence ?? null) as Fence | null;
}

/** The hosts that an intent needs: by its worker, or named in its input. */
export function hostsNamed({ onHost, input }: Pick<Intent, 'onHost' | 'input'>): string[] {
  const { host, source, target } = input as Partial<Record<string, { name?: unknown }>>;
  const names = [onHost === null ? null : hostOfPlace(onHost), host?.name, source?.name, target?.name];
  return [...new Set(names.filter((name) => typeof name === 'string'))];
}

/** Tells of which nothing can, or needs to, be done: all that they name is fenced, and cleaned when it is readmitted. */
export async function withFences(db: Trx, intents: readonly Intent[]): Promise<Intent[]> {
  if (intents.every((intent) => hostsNamed(intent).length === 0)) return [...intents];
  const fenced = new Set(
    (await db.selectFrom('hosts').select('name').where('fence', 'is not', null).execute()).map(
      ({ name }) => name,
    ),
  );
  return intents.map((intent) => {
    const names = hostsNamed(intent);
    const [first] = names;
    return first !== undefined && names.every((name) => fenced.has(name))
      ? { ...intent, fenced: first }
      : intent;
  });
}
