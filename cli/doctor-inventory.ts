/** What there is to know of the inventory's database itself. It answers: otherwise no command gets so far. */
import type { Inventory } from '../activities/inventory/database.js';
import { migrations } from '../activities/inventory/migrations/index.js';
import type { PostgresServer } from '../activities/inventory/postgres.js';
import type { Config } from '../config/config.js';
import type { Check } from './doctor.js';

const name = 'inventory database';

export async function databaseChecks({ inventory }: Config, { kysely }: Inventory): Promise<Check[]> {
  const schema = `schema ${Object.keys(migrations).at(-1)}`;
  if (inventory.url === undefined) return [check('ok', `SQLite, ${schema}`, null)];
  const { serverOf } = await import('../activities/inventory/postgres.js');
  const server = await serverOf(kysely);
  return [
    check('ok', `PostgreSQL ${versionOf(server)}, as ${server.user}, ${schema}`, null),
    ...warnings(server),
  ];
}

const check = (state: Check['state'], message: string, fix: string | null): Check => ({
  name,
  state,
  message,
  fix,
  code: 'InventoryUnavailable',
});

const versionOf = ({ version }: PostgresServer): string =>
  `${Math.floor(version / 10_000)}.${version % 10_000}`;

function* warnings({ user, schema, mayCreate, fsync, synchronousCommit }: PostgresServer): Generator<Check> {
  if (!mayCreate) {
    const fix = `grant create on schema ${schema} to ${user}`;
    yield check(
      'warning',
      `${user} may make no tables in ${schema}: a newer drover could not change it`,
      fix,
    );
  }
  // Others (local, remote_write, remote_apply) write to the disk of this server at least.
  if (fsync === 'off' || synchronousCommit === 'off') {
    const off = fsync === 'off' ? 'fsync' : 'synchronous_commit';
    const message = `${off} is off: a power cut may take back who owns an instance while its hypervisor goes on`;
    yield check('warning', message, `set ${off} = on in its postgresql.conf`);
  }
}
