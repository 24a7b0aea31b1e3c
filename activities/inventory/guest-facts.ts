import type { GuestView } from '../hypervisor/port.js';
import { read, transact, type Inventory } from './database.js';
import { keepDefinitions } from './definitions.js';
import { toJson } from './rows.js';

export type GuestFacts = Pick<GuestView, 'id' | 'cpuMode' | 'networks' | 'definition'>;

/** What placement and evacuation go by, as somebody saw it on its host. Written only when it is new: most who look see what is known. */
export async function recordGuest(
  inventory: Inventory,
  host: string,
  { id, cpuMode, networks, definition }: GuestFacts,
): Promise<void> {
  const seen = { cpu_mode: cpuMode, networks: toJson(networks) };
  const known = await read(inventory, (db) =>
    db.selectFrom('instances').select(['cpu_mode', 'networks']).where('id', '=', id).executeTakeFirst(),
  );
  if (known === undefined) return;
  await keepDefinitions(inventory, host, [{ id, definition }]);
  if (known.cpu_mode === seen.cpu_mode && known.networks === seen.networks) return;
  await transact(inventory, (trx) => trx.updateTable('instances').set(seen).where('id', '=', id).execute());
}
