/** The power of guests as a probe sees it, beside what the inventory says. */
import type { PowerState } from '../../model/instance.js';
import type { GuestPower } from '../hypervisor/port.js';
import { read, transact, type Inventory } from './database.js';

/**
 * What is compared; what is built, shelved or broken has its own operations. Of one that waits for its resize to be confirmed
 * only the power is written: on or off, it is still to be confirmed or taken back.
 */
const compared = ['active', 'paused', 'stopped', 'suspended', 'resized'] as const;
/** Passing, or not seen at all. */
const inconclusive: ReadonlySet<PowerState> = new Set(['migrating', 'unknown']);

export interface ExpectedPower {
  instance: string;
  epoch: number;
  power: PowerState;
}

/** The instances of a host on which nothing runs, read before the host is asked. */
export async function expectedPowers(inventory: Inventory, host: string): Promise<ExpectedPower[]> {
  return read(inventory, (db) =>
    db
      .selectFrom('instances')
      .select(['id as instance', 'epoch', 'power_state as power'])
      .where('host', '=', host)
      .where('op_id', 'is', null)
      .where('needs_repair', 'is', null)
      .where('state', 'in', compared)
      .execute(),
  );
}

/**
 * Writes the power of those that are not as they were thought to be, unless an operation began meanwhile; the janitor
 * finds them by a state that does not fit.
 */
export async function recordPowers(
  inventory: Inventory,
  host: string,
  expected: readonly ExpectedPower[],
  seen: readonly GuestPower[],
): Promise<void> {
  const powers = new Map(seen.map(({ id, power }) => [id, power]));
  const others = expected.flatMap(({ instance, epoch, power }) => {
    const now = powers.get(instance) ?? 'absent';
    return now === power || inconclusive.has(now) ? [] : [{ instance, epoch, now }];
  });
  if (others.length === 0) return;
  await transact(inventory, async (trx) => {
    for (const { instance, epoch, now } of others) {
      await trx
        .updateTable('instances')
        .set({ power_state: now, updated_at: inventory.now() })
        .where('id', '=', instance)
        .where('host', '=', host)
        .where('epoch', '=', epoch)
        .where('op_id', 'is', null)
        .execute();
    }
  });
}
