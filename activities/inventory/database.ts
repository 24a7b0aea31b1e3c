import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, Migrator, SqliteDialect, sql } from 'kysely';
import Database from 'libsql';
import { migrations } from './migrations/index.js';
import type { Tables } from './schema.js';
import { isBusy, translate, unavailable } from './unavailable.js';

/** An open inventory. Every access goes through `transact` or `read`, which turn failures into InventoryUnavailable. */
export interface Inventory {
  readonly path: string;
  readonly kysely: Kysely<Tables>;
  /** The time, RFC 3339 in UTC. */
  now(): string;
}

/** The connection inside a transaction. */
export type Trx = Kysely<Tables>;

/**
 * How long a call waits for the write lock. SQLite itself waits only a moment: its wait blocks the whole
 * process, and a worker that can't heartbeat loses its activities.
 */
const BLOCK_MS = 50;
const PATIENCE_MS = 15_000;

/** Opens the file, makes it when there is none, and brings its schema up to date. */
export async function openInventory(options: { path: string; now?: () => Date }): Promise<Inventory> {
  const { path } = options;
  const clock = options.now ?? (() => new Date());
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw unavailable(
      path,
      'its folder cannot be made',
      `make the folder ${dirname(path)} for this user`,
      error,
    );
  }
  const kysely = new Kysely<Tables>({ dialect: new SqliteDialect({ database: openFile(path) }) });
  const inventory: Inventory = { path, kysely, now: () => clock().toISOString() };
  try {
    await settings(inventory);
    await migrate(inventory);
  } catch (error) {
    await kysely.destroy();
    throw error;
  }
  return inventory;
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

async function patiently<T>(inventory: Inventory, attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
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

function openFile(path: string): Database.Database {
  try {
    return new Database(path, { timeout: BLOCK_MS });
  } catch (error) {
    throw translate(path, error);
  }
}

async function settings(inventory: Inventory): Promise<void> {
  await read(inventory, async (db) => {
    const mode = await sql<{ journal_mode: string }>`pragma journal_mode = wal`.execute(db);
    if (mode.rows[0]?.journal_mode !== 'wal') {
      const hint = 'put the file on a local disk of this machine';
      throw unavailable(inventory.path, 'its file system does not support a write-ahead log', hint);
    }
    // Full: an ownership that a power cut takes back would leave a hypervisor's job without its owner.
    await sql`pragma synchronous = full`.execute(db);
    await sql`pragma foreign_keys = on`.execute(db);
  });
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
