/** The items of runs as rows: they outlive Temporal's retention, and no record has to hold ten thousand of them. */
import type { RunItemRecord, RunItemRow } from '../../model/run.js';
import { read, transact, type Inventory, type Trx } from './database.js';
import { jsonOrNull, runItemOf } from './rows.js';

export interface ItemsOfStep {
  run: string;
  step: string;
  attempt: number;
  items: RunItemRecord[];
}

/** SQLite takes at most 32,766 values in a statement. */
const rowsAtOnce = 500;

/** Writes how items ended. A row of an earlier attempt is replaced, one of a later attempt stays. */
export async function recordItems(inventory: Inventory, items: ItemsOfStep): Promise<void> {
  await transact(inventory, (trx) => insertItems(trx, items, inventory.now()));
}

export async function insertItems(trx: Trx, of: ItemsOfStep, now: string): Promise<void> {
  for (let from = 0; from < of.items.length; from += rowsAtOnce) {
    const rows = of.items.slice(from, from + rowsAtOnce).map((item) => ({
      run: of.run,
      step: of.step,
      item: item.key,
      label: item.label,
      state: item.state,
      error: jsonOrNull(item.error),
      result: jsonOrNull(item.result),
      attempt: of.attempt,
      ended_at: now,
    }));
    await trx
      .insertInto('run_items')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .columns(['run', 'step', 'item'])
          .doUpdateSet((e) => ({
            label: e.ref('excluded.label'),
            state: e.ref('excluded.state'),
            error: e.ref('excluded.error'),
            result: e.ref('excluded.result'),
            attempt: e.ref('excluded.attempt'),
            ended_at: e.ref('excluded.ended_at'),
          }))
          .whereRef('run_items.attempt', '<=', 'excluded.attempt'),
      )
      .execute();
  }
}

/** In the order in which they ended. */
export async function listRunItems(
  inventory: Inventory,
  run: string,
  by: {
    step?: string | undefined;
    state?: RunItemRecord['state'] | undefined;
    /** Ended at that time or later. */
    since?: string | undefined;
    limit?: number | undefined;
  } = {},
): Promise<RunItemRow[]> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('run_items')
      .selectAll()
      .where('run', '=', run)
      .$if(by.step !== undefined, (query) => query.where('step', '=', by.step ?? ''))
      .$if(by.state !== undefined, (query) => query.where('state', '=', by.state ?? 'done'))
      .$if(by.since !== undefined, (query) => query.where('ended_at', '>=', by.since ?? ''))
      .orderBy('ended_at')
      .orderBy('label')
      .orderBy('item')
      .$if(by.limit !== undefined, (query) => query.limit(by.limit ?? 0))
      .execute(),
  );
  return rows.map(runItemOf);
}
