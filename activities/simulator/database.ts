/** The file of a datacenter: transactions over prepared statements, in SQL as SQLite speaks it. */
import Database from 'libsql';
import { DroverError } from '../../model/errors.js';
import { schema, version } from './schema.js';

export type Value = string | number | null;

/** A transaction. `now` is the time at which what it does happens: ms since the epoch. */
export interface Tx {
  readonly now: number;
  /** `Row` is what the text of the query says: the schema is ours, and its tables are strict. */
  all<Row>(sql: string, ...values: Value[]): Row[];
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  one<Row>(sql: string, ...values: Value[]): Row | undefined;
  run(sql: string, ...values: Value[]): void;
}

export interface Store {
  /** Runs `work` in one transaction, or answers `busy` when another process keeps the file locked. */
  attempt<T>(now: number, work: (tx: Tx) => T): { done: T } | 'busy';
  close(): void;
}

/** SQLite's own wait for a lock: it blocks the whole process, so the longer wait is the caller's. */
const BLOCK_MS = 20;
const BUSY = new Set([5, 6]);

export function openStore(path: string): Store {
  const database = new Database(path, { timeout: BLOCK_MS });
  const statements = new Map<string, Database.Statement>();
  const prepared = (sql: string): Database.Statement => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const made = database.prepare(sql);
    statements.set(sql, made);
    return made;
  };

  function transaction<T>(now: number, work: (tx: Tx) => T): { done: T } | 'busy' {
    // Through exec: a statement that fails because of a lock would stay in progress (see the inventory's sqlite.ts).
    try {
      database.exec('begin immediate');
    } catch (error) {
      if (isBusy(error)) return 'busy';
      throw error;
    }
    try {
      const all = <Row>(sql: string, ...values: Value[]): Row[] => prepared(sql).all(...values) as Row[];
      const done = work({
        now,
        all,
        // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
        one: <Row>(sql: string, ...values: Value[]) => all<Row>(sql, ...values)[0],
        run: (sql, ...values) => void prepared(sql).run(...values),
      });
      database.exec('commit');
      return { done };
    } catch (error) {
      database.exec('rollback');
      throw error;
    }
  }

  function prepareFile(): 'busy' | 'ready' {
    try {
      // Normal: what a killed process wrote stays, and a power cut of this machine is no concern of a simulation.
      database.exec('pragma journal_mode = wal');
      database.exec('pragma synchronous = normal');
    } catch (error) {
      if (isBusy(error)) return 'busy';
      throw error;
    }
    return 'ready';
  }

  let ready = path === ':memory:';
  let made = false;
  return {
    attempt(now, work) {
      if (!ready) ready = prepareFile() === 'ready';
      if (!ready) return 'busy';
      if (!made) {
        const outcome = transaction(now, (tx) => makeSchema(tx, path));
        if (outcome === 'busy') return outcome;
        made = true;
      }
      return transaction(now, work);
    },
    close: () => database.close(),
  };
}

function makeSchema(tx: Tx, path: string): void {
  const [found] = tx.all<{ user_version: number }>('pragma user_version');
  if (found?.user_version === version) return;
  if (found !== undefined && found.user_version !== 0) {
    throw new DroverError(
      'WrongState',
      `${path} is a datacenter of another version of drover (${found.user_version}, not ${version})`,
      { hint: 'a simulated datacenter is not converted: remove its file, and its hosts from the inventory' },
    );
  }
  for (const statement of schema) tx.run(statement);
  tx.run(`pragma user_version = ${version}`);
}

function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    'rawCode' in error &&
    typeof error.rawCode === 'number' &&
    BUSY.has(error.rawCode & 0xff)
  );
}
