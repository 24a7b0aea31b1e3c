import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { Pool, TypeOverrides, types as builtIn, type PoolClient } from 'pg';
import { isOfServer } from './postgres-errors.js';

/** Of one process. Most of them wait for the write lock when there is much to do, the others read. */
const connectionsAtMost = 8;
const connectWithinMs = 5000;
/** More than the server's own limits: this is for a server that is not heard of any more. */
const marginMs = 5000;

/** Counts and sums are bigint or numeric there, which pg answers as text; none of ours goes beyond 2^53. */
const types = new TypeOverrides();
for (const id of [builtIn.builtins.INT8, builtIn.builtins.NUMERIC]) types.setTypeParser(id, Number);

/** The pool as kysely takes it. Password, certificates and the like come from where libpq takes them, too. */
export function openPool(url: string, patienceMs: number): PostgresPool {
  const pool = new Pool({
    connectionString: asLibpq(url),
    max: connectionsAtMost,
    application_name: 'drover',
    connectionTimeoutMillis: Math.min(connectWithinMs, patienceMs),
    query_timeout: patienceMs + marginMs,
    keepAlive: true,
    allowExitOnIdle: true,
    types,
  });
  // A connection that breaks while nobody uses it is simply gone; without a listener the process would end.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return { connect: async () => new Connection(await pool.connect()), end: () => pool.end() };
}

/** `sslmode=require` and its like mean what they mean to psql, and not what this version of pg makes of them. */
function asLibpq(url: string): string {
  const parsed = new URL(url);
  if (parsed.searchParams.has('sslmode')) parsed.searchParams.set('uselibpqcompat', 'true');
  return parsed.href;
}

class Connection implements PostgresPoolClient {
  #lost: Error | undefined;

  constructor(private readonly client: PoolClient) {}

  query<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query(): never;
  async query<R>(text = '', values: readonly unknown[] = []): Promise<PostgresQueryResult<R>> {
    // Whatever was asked of it last may still go on there.
    if (this.#lost !== undefined) throw this.#lost;
    try {
      const answer = await this.client.query(text, values.map(storable));
      // PostgreSQL answers a commit of what has failed before with a rollback, and no error.
      if (text === 'commit' && answer.command !== 'COMMIT')
        throw new Error('the transaction had failed before its commit');
      return answer as unknown as PostgresQueryResult<R>;
    } catch (error) {
      if (!isOfServer(error)) this.#lost = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }

  release(): void {
    this.client.release(this.#lost ?? false);
  }
}

/** The one character that PostgreSQL can't store. */
const storable = (value: unknown): unknown =>
  typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value;
