/**
 * An inventory that was restored from an older backup. An operation and its epoch are written here before a guest is
 * stamped with them: a stamp that is newer than the row, or of an operation that was never written, proves it. What came
 * after the backup is forgotten here, and not on the hosts.
 */
import type { SeenGuest, SeenHost } from '../../model/audit.js';
import type { Instance } from '../../model/instance.js';
import { transact, type Inventory, type Trx } from './database.js';

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

/**
 * Of each instance the newest stamp that its row knows nothing of. A repair may have raised the row's epoch meanwhile, so
 * that is not enough; one that was reconciled, or adopted with its stamp, is beyond the margin. `known`: operations.
 */
export function olderRows(
  rows: readonly Pick<Instance, 'id' | 'epoch'>[],
  stamped: readonly Stamped[],
  known: ReadonlySet<string>,
): Older[] {
  const epochs = new Map(rows.map(({ id, epoch }) => [id, epoch]));
  const newest = new Map<string, Older>();
  for (const { host, guest } of stamped) {
    const recorded = epochs.get(guest.id);
    if (guest.stamp === null || recorded === undefined) continue;
    const { epoch, operation } = guest.stamp;
    if (epoch <= recorded && (known.has(operation) || recorded >= epoch + epochMargin)) continue;
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
    const older = olderRows(rows, stamped, await knownOperations(trx, stamped));
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
        .where('epoch', '<', epoch + epochMargin)
        .execute();
    }
    return { raised: rows.length };
  });
}

const atOnce = 1000;

/** Those of the stamps' operations that the inventory has a record of. */
export async function knownOperations(db: Trx, stamped: readonly Stamped[]): Promise<Set<string>> {
  const asked = [...new Set(stamped.flatMap(({ guest }) => guest.stamp?.operation ?? []))];
  const known = new Set<string>();
  for (let from = 0; from < asked.length; from += atOnce) {
    const rows = await db
      .selectFrom('operations')
      .select('id')
      .where('id', 'in', asked.slice(from, from + atOnce))
      .execute();
    for (const { id } of rows) known.add(id);
  }
  return known;
}

/** The guests of the hosts that answered. */
export const stampedIn = (seen: ReadonlyMap<string, SeenHost>): Stamped[] =>
  [...seen].flatMap(([host, one]) =>
    one.state === 'answered' ? one.guests.map((guest) => ({ host, guest })) : [],
  );
