/** The database file as kysely takes it. */
import type { SqliteDatabase, SqliteStatement } from 'kysely';
import Database from 'libsql';
import { unavailable } from './unavailable.js';

/**
 * How long SQLite itself waits for a lock: only a moment, since its wait blocks the whole process, and a
 * worker that can't heartbeat loses its activities. `transact` waits on, without blocking.
 */
const BLOCK_MS = 50;

export function openFile(path: string): Database.Database {
  return new Database(path, { timeout: BLOCK_MS });
}

/** May find the file locked, and is then to be tried again. */
export function applySettings(database: Database.Database, path: string): void {
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
export function forKysely(database: Database.Database, path: string): SqliteDatabase {
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
