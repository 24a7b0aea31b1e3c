/** The inventory in a file of this machine, by SQLite. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely, SqliteDialect, sql, type SqliteDatabase, type SqliteStatement } from 'kysely';
import Database from 'libsql';
import type { Engine } from './engine.js';
import type { Tables } from './schema.js';
import { isBusy, translate } from './sqlite-errors.js';
import { unavailable } from './unavailable.js';

/**
 * How long SQLite itself waits for a lock: only a moment, since its wait blocks the whole process, and a
 * worker that can't heartbeat loses its activities. `transact` waits on, without blocking.
 */
const BLOCK_MS = 50;

/** Opens the file, makes it when there is none; `:memory:` is one that is lost. */
export function openSqlite(path: string): Engine {
  makeFolder(path);
  let database: Database.Database;
  try {
    database = new Database(path, { timeout: BLOCK_MS });
  } catch (error) {
    throw translate(path, error);
  }
  const dialect = new SqliteDialect({ database: forKysely(database, path) });
  const kysely = new Kysely<Tables>({ dialect });
  return {
    told: path,
    kysely,
    begin: async (connection) => void (await sql`begin immediate`.execute(connection)),
    check: async () => applySettings(database, path),
    schema: () => Promise.resolve(null),
    async hasMigrations(connection) {
      const tables = await sql`select name from sqlite_master where name = 'kysely_migration'`.execute(
        connection,
      );
      return tables.rows.length > 0;
    },
    isPassing: isBusy,
    isLost: () => false,
    async close() {
      await kysely.destroy();
      // Kysely closes only what it has used.
      if (database.open) database.close();
    },
    translate: (error) => translate(path, error),
  };
}

function makeFolder(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    const hint = `make the folder ${dirname(path)} for this user`;
    throw unavailable(path, 'its folder cannot be made', hint, error);
  }
}

/** May find the file locked, and is then to be tried again. */
function applySettings(database: Database.Database, path: string): void {
  database.exec('pragma foreign_keys = on');
  if (path === ':memory:') return;
  database.exec('pragma journal_mode = wal');
  const [mode] = database.prepare('pragma journal_mode').all();
  if (JSON.stringify(mode) !== '{"journal_mode":"wal"}') {
    const hint = 'put the file on a local disk of this machine';
    throw unavailable(path, 'its file system does not support a write-ahead log', hint);
  }
  // Full: an ownership that a power cut takes back would leave a hypervisor's job without its owner.
  database.exec('pragma synchronous = full');
}

/**
 * libsql leaves a statement that failed because of a lock in progress until it is garbage collected
 * (tursodatabase/libsql-js#237), and until then no transaction of the connection can commit. Only `begin` waits
 * for the lock in a transaction, so what begins and ends one goes through `exec`, which leaves nothing behind.
 */
function forKysely(database: Database.Database, path: string): SqliteDatabase {
  const prepare = path === ':memory:' ? remembered(database) : (text: string) => database.prepare(text);
  return {
    close: () => database.close(),
    prepare: (text) => (/^(begin|commit|rollback)\b/i.test(text) ? executed(database, text) : prepare(text)),
  };
}

/**
 * Statements are prepared once. Only in memory, where no lock can leave one of them in progress: thousands of
 * operations a second spend a fifth of their time on it there.
 */
function remembered(database: Database.Database): (text: string) => SqliteStatement {
  const statements = new Map<string, SqliteStatement>();
  return (text) => {
    const known = statements.get(text);
    if (known !== undefined) return known;
    const made = database.prepare(text);
    const { reader } = made;
    const statement: SqliteStatement = {
      reader,
      all: (values) => made.all(...values),
      iterate: (values) => made.iterate(...values),
      run: (values) => made.run(...values),
    };
    // What changes the schema would be prepared for one that is gone.
    if (/^(select|insert|update|delete)\b/i.test(text)) statements.set(text, statement);
    return statement;
  };
}

const executed = (database: Database.Database, text: string): SqliteStatement => ({
  reader: false,
  all: () => [],
  iterate: () => [].values(),
  run: () => {
    database.exec(text);
    return { changes: 0, lastInsertRowid: 0 };
  },
});
