/** The frozen plan of a run, so that it can be tried again after Temporal has forgotten its workflow. */
import type { FrozenRunbook } from '../../model/runbook.js';
import { read, type Inventory, type Trx } from './database.js';
import { toJson } from './rows.js';

export async function insertPlan(trx: Trx, run: string, plan: FrozenRunbook): Promise<void> {
  await trx
    .insertInto('run_plans')
    .values({ run, plan: toJson(plan) })
    .onConflict((conflict) => conflict.column('run').doNothing())
    .execute();
}

/** Null for a run that is a part of another, and for those of an older drover. */
export async function planOfRun(inventory: Inventory, run: string): Promise<FrozenRunbook | null> {
  const row = await read(inventory, (db) =>
    db.selectFrom('run_plans').select('plan').where('run', '=', run).executeTakeFirst(),
  );
  return row === undefined ? null : (JSON.parse(row.plan) as FrozenRunbook);
}
