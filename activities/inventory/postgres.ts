/** The inventory in a database of PostgreSQL, which workers on many machines share. */
import {
  HandleEmptyInListsPlugin,
  Kysely,
  PostgresDialect,
  replaceWithNoncontingentExpression,
  sql,
} from 'kysely';
import { toldPlace } from '../../model/inventory.js';
import type { Engine } from './engine.js';
import { ByteOrderPlugin } from './postgres-text.js';
import { openPool } from './postgres-pool.js';
import { isLost, isPassing, translate } from './postgres-errors.js';
import type { Tables } from './schema.js';
import { unavailable } from './unavailable.js';

const oldest = 13;

export function openPostgres(url: string, patienceMs: number): Engine {
  const told = toldPlace({ url });
  const pool = openPool(url, patienceMs);
  const kysely = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    plugins: [
      new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression }),
      new ByteOrderPlugin(),
    ],
  });
  return {
    told,
    kysely,
    begin: async (connection) => void (await sql.raw(beginText(patienceMs)).execute(connection)),
    check: () => check(kysely, told),
    schema: async (connection) => (await serverOf(connection)).schema,
    async hasMigrations(connection) {
      const found = await sql<{
        there: boolean;
      }>`select to_regclass('kysely_migration') is not null as there`.execute(connection);
      return found.rows[0]?.there ?? false;
    },
    isPassing,
    isLost,
    close: () => kysely.destroy(),
    translate: (error) => translate(told, url, error),
  };
}

/**
 * All who write take one lock of the schema first and hold it until their transaction ends: then what one read can't
 * change before it writes, as in SQLite, and nothing ever deadlocks or has to be tried again. The server ends who waits
 * too long for it, and who has it and is not heard of. One text, so that it is one round trip.
 */
const beginText = (patienceMs: number): string =>
  [
    'begin',
    `set local lock_timeout = ${patienceMs}`,
    `set local statement_timeout = ${patienceMs + 2000}`,
    `set local idle_in_transaction_session_timeout = ${patienceMs * 2}`,
    "select pg_advisory_xact_lock(hashtextextended('drover inventory ' || coalesce(current_schema(), ''), 0))",
  ].join('; ');

export interface PostgresServer {
  /** As 150018. */
  version: number;
  encoding: string;
  schema: string | null;
  /** A standby, on which nothing can be written. */
  standby: boolean;
  user: string;
  mayCreate: boolean;
  /** Settings without which a power cut takes back what was answered as written. */
  fsync: string;
  synchronousCommit: string;
}

export async function serverOf(connection: Kysely<Tables>): Promise<PostgresServer> {
  const { rows } = await sql<PostgresServer>`
    select current_setting('server_version_num')::int as version,
      current_setting('server_encoding') as encoding,
      current_schema()::text as schema,
      pg_is_in_recovery() as standby,
      current_user::text as "user",
      coalesce(has_schema_privilege(current_schema(), 'create'), false) as "mayCreate",
      current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as "synchronousCommit"`.execute(connection);
  const [server] = rows;
  if (server === undefined) throw new Error('PostgreSQL answered no row');
  return server;
}

async function check(kysely: Kysely<Tables>, told: string): Promise<void> {
  const { version, encoding, schema, standby, user } = await serverOf(kysely);
  if (version < oldest * 10_000) {
    const why = `its PostgreSQL is ${Math.floor(version / 10_000)}, and drover needs ${oldest} or newer`;
    throw unavailable(told, why, 'upgrade the server');
  }
  if (encoding !== 'UTF8') {
    const hint = 'make a database of its own: createdb --encoding=UTF8 --template=template0 NAME';
    throw unavailable(told, `its encoding is ${encoding}, and names may be in any language`, hint);
  }
  if (standby) {
    const hint = 'name the primary in drover.yaml, or an address that follows it';
    throw unavailable(told, 'this server is a standby, on which nothing can be written', hint);
  }
  if (schema === null) {
    const hint = `make one: create schema drover authorization ${user}; and alter role ${user} set search_path = drover`;
    throw unavailable(told, 'none of the schemas in its search_path is there', hint);
  }
}
