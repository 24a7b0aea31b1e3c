/** Who did what to a run, and when. */
import type { RunActionRecord } from '../../model/run.js';
import { read, transact, type Inventory, type Trx } from './database.js';
import { runActionOf, toJson } from './rows.js';

/** `id` is chosen by the caller: recorded a second time, it changes nothing. */
export type NewRunAction = Omit<RunActionRecord, 'at'> & { id: string };

export async function recordRunAction(inventory: Inventory, action: NewRunAction): Promise<void> {
  await transact(inventory, (trx) => insertAction(trx, action, inventory.now()));
}

export async function insertAction(trx: Trx, action: NewRunAction, now: string): Promise<void> {
  const { id, run, by, action: what, step, comment, details } = action;
  await trx
    .insertInto('run_actions')
    .values({ id, run, at: now, by, action: what, step, comment, details: toJson(details) })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** The oldest first. */
export async function listRunActions(inventory: Inventory, run: string): Promise<RunActionRecord[]> {
  const rows = await read(inventory, (db) =>
    db.selectFrom('run_actions').selectAll().where('run', '=', run).orderBy('at').orderBy('id').execute(),
  );
  return rows.map(runActionOf);
}
