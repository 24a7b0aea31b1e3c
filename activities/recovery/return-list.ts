/** What is on a host that came back, beside what the inventory says of it. */
import type { HostRef } from '../../model/host.js';
import type { GuestView, Hypervisor } from '../hypervisor/port.js';
import { read, type Inventory } from '../inventory/database.js';
import { instanceOf } from '../inventory/rows.js';
import type { Instance } from '../../model/instance.js';
import type { ReturnedGuests } from './return-types.js';

export async function listReturned(
  { inventory, hypervisor }: { inventory: Inventory; hypervisor: Hypervisor },
  { host }: { host: HostRef },
): Promise<ReturnedGuests> {
  const guests = await hypervisor.list(host);
  const instances = await read(inventory, async (db) => {
    const ids = guests.map(({ id }) => id);
    const rows = await db
      .selectFrom('instances')
      .selectAll()
      .where((e) => e.or([e('host', '=', host.name), ...chunks(ids).map((some) => e('id', 'in', some))]))
      .orderBy('name')
      .orderBy('id')
      .execute();
    return rows.map(instanceOf);
  });
  return compare(host.name, guests, instances);
}

/** A database takes only so many values in one condition. */
const chunks = (all: readonly string[], size = 500): string[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));

/** Pure: `instances` are those of the guests, as far as there are any, and those that should be there. */
export function compare(
  host: string,
  guests: readonly GuestView[],
  instances: readonly Instance[],
): ReturnedGuests {
  const byId = new Map(instances.map((one) => [one.id, one]));
  const seen = new Set(guests.map(({ id }) => id));
  const found: ReturnedGuests = { stale: [], here: [], missing: [], unknown: [], autostart: [] };
  for (const guest of guests) {
    const { id, name, power } = guest;
    if (guest.autostart) found.autostart.push(name);
    const instance = byId.get(id);
    if (instance === undefined) {
      found.unknown.push({ id, name, power, says: 'the inventory does not know it' });
    } else if (instance.host === host && instance.state !== 'deleted') {
      found.here.push({ instance: id, name: instance.name, power });
    } else if (instance.host === null && !isGone(instance)) {
      const says = `${instance.name} is ${instance.state} and on no host: drover instance repair ${instance.name} --also ${host}`;
      found.unknown.push({ id, name, power, says });
    } else {
      const held = instance.state !== 'deleted' && instance.resized?.host === host;
      // Kept for the way back, and off: as it is to be.
      if (held && isOff(guest)) continue;
      found.stale.push({ instance: id, name: instance.name, power, elsewhere: instance.host, held });
    }
  }
  for (const { id, name, host: home, state } of instances) {
    if (home === host && state !== 'deleted' && !seen.has(id)) found.missing.push({ instance: id, name });
  }
  return found;
}

/** What it was is kept elsewhere, or not at all: no host is to have its guest. */
const isGone = ({ state }: Instance): boolean => state === 'deleted' || state === 'shelved-offloaded';

export const isOff = ({ power }: Pick<GuestView, 'power'>): boolean =>
  power === 'shutoff' || power === 'crashed';
