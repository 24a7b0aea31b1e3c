import { permanentId } from './allocations.js';
import { transact, type Inventory } from './database.js';
import { refreshUsage } from './host-usage.js';
import { requireHost } from './hosts.js';
import { insertInstance, type Adoption } from './instances.js';

/** Takes many guests in at once, all or none; those that are there already stay as they are. Answers how many came. */
export async function adoptMany(inventory: Inventory, guests: readonly Adoption[]): Promise<number> {
  return transact(inventory, async (trx) => {
    for (const host of new Set(guests.map((guest) => guest.host))) await requireHost(trx, host);
    const known = await trx.selectFrom('instances').select('id').execute();
    const there = new Set(known.map(({ id }) => id));
    const fresh = guests.filter(({ id }) => !there.has(id));
    const now = inventory.now();
    for (const guest of fresh) {
      await insertInstance(trx, { ...guest, image: null, needsRepair: null }, now);
      const { id: instance, host, vcpus, memoryMiB: memory_mib } = guest;
      await trx
        .insertInto('allocations')
        .values({ id: permanentId(instance), instance, host, operation: null, vcpus, memory_mib, slots: 0 })
        .execute();
    }
    await refreshUsage(
      trx,
      fresh.map((guest) => guest.host),
    );
    return fresh.length;
  });
}
