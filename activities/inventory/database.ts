import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import type { InventoryPlace } from '../../model/inventory.js';
import { systemClock, type Clock } from '../clock.js';
import type { Engine } from './engine.js';
import { migrate } from './migrate.js';
import type { Tables } from './schema.js';
import { unavailable } from './unavailable.js';

/** An open inventory. Every access goes through `transact` or `read`, which turn failures into InventoryUnavailable. */
export interface Inventory {
  readonly engine: Engine;
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

/**
 * Opens the inventory and brings its schema up to date. A file is made when there is none (`:memory:` is one that is
 * lost), a database of PostgreSQL must be there.
 */
export async function openInventory(
  options: InventoryPlace & { clock?: Clock; patienceMs?: number },
): Promise<Inventory> {
  const { patienceMs = PATIENCE_MS, clock = systemClock } = options;
  const engine = await openEngine(options, patienceMs);
  const now = () => new Date(clock.now()).toISOString();
  const inventory: Inventory = { engine, kysely: engine.kysely, patienceMs, clock, now };
  try {
    await patiently(inventory, () => engine.check());
    await migrate(engine, {
      read: (work) => read(inventory, work),
      transact: (work) => transact(inventory, work),
    });
  } catch (error) {
    await closeInventory(inventory);
    throw error;
  }
  return inventory;
}

/** Each is loaded only where it is used: a command should begin at once. */
async function openEngine(place: InventoryPlace, patienceMs: number): Promise<Engine> {
  if (place.path !== undefined) return (await import('./sqlite.js')).openSqlite(place.path);
  return (await import('./postgres.js')).openPostgres(place.url, patienceMs);
}

export async function closeInventory(inventory: Inventory): Promise<void> {
  await inventory.engine.close();
}

/**
 * Runs `work` in one transaction that holds the write lock from its beginning: nothing that it read can
 * change before it writes, which is what makes choose-and-claim and compare-and-set right. `work` may run
 * again from the start, so it does nothing but SQL, and never waits for anything else.
 */
export async function transact<T>(inventory: Inventory, work: (trx: Trx) => Promise<T>): Promise<T> {
  const { engine } = inventory;
  return patiently(inventory, () =>
    inventory.kysely.connection().execute(async (connection) => {
      let committing = false;
      try {
        await engine.begin(connection);
        const answer = await work(connection);
        committing = true;
        await sql`commit`.execute(connection);
        return answer;
      } catch (error) {
        if (committing && engine.isLost(error)) throw unanswered(engine, error);
        // After some errors it has rolled back by itself; the first error is the one to tell.
        await sql`rollback`.execute(connection).catch(() => undefined);
        throw error;
      }
    }),
  );
}

/** Not tried again here: most would find their own change and take it for another's. An activity may, and is. */
function unanswered(engine: Engine, cause: unknown): Error {
  const hint = 'look whether it was done before you try again; what a workflow does is tried again by itself';
  return unavailable(engine.told, 'the connection broke while it was writing', hint, cause);
}

/** Runs one query that changes nothing. */
export async function read<T>(inventory: Inventory, query: (db: Trx) => Promise<T>): Promise<T> {
  return patiently(inventory, () => query(inventory.kysely));
}

async function patiently<T>(
  { engine, patienceMs }: Pick<Inventory, 'engine' | 'patienceMs'>,
  attempt: () => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!engine.isPassing(error) || Date.now() > deadline) throw engine.translate(error);
    }
    // Random, so that processes that met once don't meet again and again.
    await sleep(5 + Math.random() * 45);
  }
}
