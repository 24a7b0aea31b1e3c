import { Migrator, sql, type Kysely } from 'kysely';
import type { Engine } from './engine.js';
import { migrations } from './migrations/index.js';
import type { Tables } from './schema.js';
import { unavailable } from './unavailable.js';

/**
 * Several processes may open a new inventory at once. Kysely's own lock does nothing on SQLite, so all of its work
 * is done in one of our transactions: the first to get the write lock migrates, the others find it done.
 */
export async function migrate(
  engine: Engine,
  { read, transact }: Record<'read' | 'transact', Access>,
): Promise<void> {
  const done = await read((db) => executed(engine, db));
  const unknown = done?.find((name) => !Object.hasOwn(migrations, name));
  if (unknown !== undefined) {
    const hint = 'use the drover that made it, or a newer one';
    throw unavailable(engine.told, `a newer drover changed its schema (${unknown})`, hint);
  }
  if (done?.length === Object.keys(migrations).length) return;
  await transact(async (trx) => {
    const schema = await engine.schema(trx);
    const { error } = await new Migrator({
      db: trx,
      provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
      // There is one already, and its end would be the end of ours.
      disableTransactions: true,
      ...(schema === null ? {} : { migrationTableSchema: schema }),
    }).migrateToLatest();
    if (error !== undefined) throw error;
  });
}

type Access = <T>(work: (db: Kysely<Tables>) => Promise<T>) => Promise<T>;

/** Names of the migrations that it has had; null when it has none. Reads only: most commands find nothing to do. */
async function executed(engine: Engine, db: Kysely<Tables>): Promise<string[] | null> {
  if (!(await engine.hasMigrations(db))) return null;
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  return rows.map((row) => row.name);
}
