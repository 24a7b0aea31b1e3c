import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, Migrator, SqliteDialect, sql } from 'kysely';
import { systemClock, type Clock } from '../clock.js';
import { migrations } from './migrations/index.js';
import type { Tables } from './schema.js';
import { applySettings, forKysely, openFile } from './sqlite.js';
import { isBusy, translate, unavailable } from './unavailable.js';

/** An open inventory. Every access goes through `transact` or `read`, which turn failures into InventoryUnavailable. */
export interface Inventory {
  readonly path: string;
  readonly kysely: Kysely<Tables>;
  /** How long a call waits for a lock. */
  readonly patienceMs: number;
  readonly clock: Clock;
  /** The time of the clock, RFC 3339 in UTC. */
  now(): string;
}

/** The connection inside a transaction. */
export type Trx = Kysely<Tables>;

const PATIENCE_MS = 15_000;

/** Opens the file, makes it when there is none, and brings its schema up to date; `:memory:` is one that is lost. */
export async function openInventory(options: {
  path: string;
  clock?: Clock;
  patienceMs?: number;
}): Promise<Inventory> {
  const { path, patienceMs = PATIENCE_MS, clock = systemClock } = options;
  makeFolder(path);
  const database = await patiently({ path, patienceMs }, async () => openFile(path));
  const kysely = new Kysely<Tables>({ dialect: new SqliteDialect({ database: forKysely(database, path) }) });
  const now = () => new Date(clock.now()).toISOString();
  const inventory: Inventory = { path, kysely, patienceMs, clock, now };
  try {
    await patiently(inventory, async () => applySettings(database, path));
    await migrate(inventory);
  } catch (error) {
    database.close();
    throw error;
  }
  return inventory;
}

function makeFolder(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    const hint = `make the folder ${dirname(path)} for this user`;
    throw unavailable(path, 'its folder cannot be made', hint, error);
  }
}

export async function closeInventory(inventory: Inventory): Promise<void> {
  await inventory.kysely.destroy();
}

/**
 * Runs `work` in one transaction that holds the write lock from its beginning: nothing that it read can
 * change before it writes, which is what makes choose-and-claim and compare-and-set right. `work` may run
 * again from the start, so it does nothing but SQL, and never waits for anything else.
 */
export async function transact<T>(inventory: Inventory, work: (trx: Trx) => Promise<T>): Promise<T> {
  return patiently(inventory, () =>
    inventory.kysely.connection().execute(async (connection) => {
      await sql`begin immediate`.execute(connection);
      try {
        const answer = await work(connection);
        await sql`commit`.execute(connection);
        return answer;
      } catch (error) {
        // After some errors SQLite has rolled back by itself; the first error is the one to tell.
        await sql`rollback`.execute(connection).catch(() => undefined);
        throw error;
      }
    }),
  );
}

/** Runs one query that changes nothing. */
export async function read<T>(inventory: Inventory, query: (db: Trx) => Promise<T>): Promise<T> {
  return patiently(inventory, () => query(inventory.kysely));
}

async function patiently<T>(
  inventory: Pick<Inventory, 'path' | 'patienceMs'>,
  attempt: () => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + inventory.patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw translate(inventory.path, error);
    }
    // Random, so that processes that met once don't meet again and again.
    await sleep(5 + Math.random() * 45);
  }
}

/**
 * Several processes may open a new file at once. Kysely's own lock does nothing on SQLite, so all of its work
 * is done in one of our transactions: the first to get the write lock migrates, the others find it done.
 */
async function migrate(inventory: Inventory): Promise<void> {
  const done = await executed(inventory);
  const unknown = done?.find((name) => !Object.hasOwn(migrations, name));
  if (unknown !== undefined) {
    const hint = 'use the drover that made it, or a newer one';
    throw unavailable(inventory.path, `a newer drover changed its schema (${unknown})`, hint);
  }
  if (done?.length === Object.keys(migrations).length) return;
  await transact(inventory, async (trx) => {
    const provider = { getMigrations: () => Promise.resolve({ ...migrations }) };
    const { error } = await new Migrator({ db: trx, provider }).migrateToLatest();
    if (error !== undefined) throw error;
  });
}

/** Names of the migrations that the file has had; null when it has none. Reads only: most commands find nothing to do. */
async function executed(inventory: Inventory): Promise<string[] | null> {
  return read(inventory, async (db) => {
    const tables = await sql`select name from sqlite_master where name = 'kysely_migration'`.execute(db);
    if (tables.rows.length === 0) return null;
    const rows = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
    return rows.rows.map((row) => row.name);
  });
}
