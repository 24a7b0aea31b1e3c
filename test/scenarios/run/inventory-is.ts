/** What happens to the inventory of a scenario itself. */
import { sql } from 'kysely';
import { transact, type Inventory, type Trx } from '../../../activities/inventory/database.js';

export const inventoryStates = ['full', 'free', 'backed up', 'restored'] as const;
type State = (typeof inventoryStates)[number];

interface Kept {
  begin?: Inventory['engine']['begin'];
  backup: Map<string, object[]>;
}
const kept = new WeakMap<Inventory, Kept>();

export async function inventoryIs(inventory: Inventory, state: State): Promise<void> {
  const mine: Kept = kept.get(inventory) ?? { backup: new Map() };
  kept.set(inventory, mine);
  const { engine } = inventory;
  switch (state) {
    case 'full':
      mine.begin ??= engine.begin.bind(engine);
      // What SQLite says when the disk of its file is full.
      engine.begin = () =>
        Promise.reject(Object.assign(new Error('database or disk is full'), { rawCode: 13 }));
      return;
    case 'free':
      engine.begin = mine.begin ?? engine.begin.bind(engine);
      return;
    case 'backed up':
      mine.backup = await transact(inventory, allRows);
      return;
    case 'restored':
      await transact(inventory, (trx) => replace(trx, mine.backup));
  }
}

async function allRows(trx: Trx): Promise<Map<string, object[]>> {
  const { rows } = await sql<{ name: string }>`
    select name from sqlite_master where type = 'table' and name not like 'kysely_%' and name not like 'sqlite_%'
    order by name`.execute(trx);
  const tables = new Map<string, object[]>();
  for (const { name } of rows) {
    const { rows: all } = await sql<object>`select * from ${sql.table(name)}`.execute(trx);
    tables.set(name, all);
  }
  return tables;
}

async function replace(trx: Trx, tables: ReadonlyMap<string, object[]>): Promise<void> {
  // Rows refer to each other: only the end must be right.
  await sql`pragma defer_foreign_keys = on`.execute(trx);
  for (const [table, rows] of tables) {
    await sql`delete from ${sql.table(table)}`.execute(trx);
    for (const row of rows) {
      const columns = sql.join(Object.keys(row).map((column) => sql.ref(column)));
      await sql`insert into ${sql.table(table)} (${columns}) values (${sql.join(Object.values(row))})`.execute(
        trx,
      );
    }
  }
}
