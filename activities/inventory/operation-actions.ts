/** What somebody asked of a running operation, and when. */
import type { OperationAction } from '../../model/operation.js';
import { read, transact, type Inventory } from './database.js';
import { toJson } from './rows.js';

/** `id` is chosen by the caller: recorded a second time, it changes nothing. */
export async function recordOperationAction(
  inventory: Inventory,
  { id, operation, by, action, details }: Omit<OperationAction, 'at'> & { id: string },
): Promise<void> {
  await transact(inventory, (trx) =>
    trx
      .insertInto('operation_actions')
      .values({ id, operation, at: inventory.now(), by, action, details: toJson(details) })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute(),
  );
}

/** The oldest first. */
export async function listOperationActions(
  inventory: Inventory,
  operation: string,
): Promise<OperationAction[]> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('operation_actions')
      .selectAll()
      .where('operation', '=', operation)
      .orderBy('at')
      .orderBy('id')
      .execute(),
  );
  return rows.map(({ at, by, action, details }) => ({
    operation,
    at,
    by,
    action,
    details: JSON.parse(details) as Record<string, unknown>,
  }));
}
