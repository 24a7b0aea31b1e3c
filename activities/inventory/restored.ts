/**
 * An inventory that was restored from an older backup. An epoch is written here before a guest is stamped with it, so
 * a stamp that is newer than the row proves it: what came after the backup is forgotten here, and not on the hosts.
 */
import type { SeenGuest } from '../../model/audit.js';
import type { Instance } from '../../model/instance.js';
import { transact, type Inventory } from './database.js';

/** A host's own fence may have seen more than the stamps of guests tell: so far every epoch is raised above them. */
export const epochMargin = 1000;

export interface Stamped {
  host: string;
  guest: Pick<SeenGuest, 'id' | 'stamp'>;
}

export interface Older {
  instance: string;
  host: string;
  operation: string;
  recorded: number;
  stamped: number;
}

/** Of each instance the newest stamp, where that is newer than its row. */
export function olderRows(
  rows: readonly Pick<Instance, 'id' | 'epoch'>[],
  stamped: readonly Stamped[],
): Older[] {
  const epochs = new Map(rows.map(({ id, epoch }) => [id, epoch]));
  const newest = new Map<string, Older>();
  for (const { host, guest } of stamped) {
    const recorded = epochs.get(guest.id);
    if (guest.stamp === null || recorded === undefined || guest.stamp.epoch <= recorded) continue;
    const { epoch, operation } = guest.stamp;
    if ((newest.get(guest.id)?.stamped ?? -1) >= epoch) continue;
    newest.set(guest.id, { instance: guest.id, host, operation, recorded, stamped: epoch });
  }
  return [...newest.values()];
}

/**
 * Raises all epochs above everything that the hosts may have seen, once: new operations pass their fences again, and
 * steps of operations from before the backup, or from after it, are late. Where guests are and how they are is then
 * written by ordinary repairs. Looks anew first; what was raised before is not older any more.
 */
export async function reconcileRestored(
  inventory: Inventory,
  stamped: readonly Stamped[],
): Promise<{ raised: number }> {
  return transact(inventory, async (trx) => {
    const rows = await trx.selectFrom('instances').select(['id', 'epoch']).execute();
    const older = olderRows(rows, stamped);
    if (older.length === 0) return { raised: 0 };
    // Of all, since the guest of any of them may be gone, and its stamp with it.
    await trx
      .updateTable('instances')
      .set((e) => ({ epoch: e('epoch', '+', epochMargin) }))
      .execute();
    for (const { instance, stamped: epoch } of older) {
      await trx
        .updateTable('instances')
        .set({ epoch: epoch + epochMargin })
        .where('id', '=', instance)
        .execute();
    }
    return { raised: rows.length };
  });
}
