/** Where drover.yaml says that the inventory is, with the rules of a PostgreSQL URL. */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { InventoryPlace } from '../model/inventory.js';
import type { FileIssue, YamlFile } from './yaml-file.js';

export const inventorySchema = z
  .strictObject({
    sqlite: z
      .string()
      .min(1)
      .optional()
      .describe('The database file, on a local disk. Default: inventory.db in the data folder.'),
    postgres: z
      .string()
      .min(1)
      .optional()
      .describe(
        'A database of PostgreSQL 13 or newer instead, as postgresql://user@host:5432/database; sslmode and sslrootcert may ' +
          'follow as parameters. The password comes from PGPASSWORD or ~/.pgpass (PGPASSFILE).',
      ),
  })
  .prefault({})
  .describe('Where hosts, instances, claims and runs are recorded.');

type Told = z.output<typeof inventorySchema>;

export function placeOf({ sqlite, postgres }: Told, base: string, data: string): InventoryPlace {
  if (postgres !== undefined) return { url: postgres };
  return { path: sqlite === undefined ? join(data, 'inventory.db') : resolve(base, sqlite) };
}

/** What a schema can't tell: one of the two, and a URL that can be used and may be shown. */
export function placeIssues({ sqlite, postgres }: Told, issue: YamlFile<unknown>['issue']): FileIssue[] {
  if (postgres === undefined) return [];
  const path = ['inventory', 'postgres'];
  if (sqlite !== undefined) {
    return [
      issue(path, 'must be one of sqlite and postgres, not both', {
        atKey: true,
        hint: 'remove the one that is not used; docs/inventory.md tells which one to choose',
      }),
    ];
  }
  const wrong = wrongUrl(postgres);
  return wrong === undefined ? [] : [issue(path, ...wrong)];
}

const example = 'write it as postgresql://user@host:5432/database';
const sslModes = ['disable', 'require', 'verify-ca', 'verify-full'];

/** Never with the URL itself: it may hold a password. */
function wrongUrl(text: string): [message: string, { hint: string }] | undefined {
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text))
    return ['must be a URL of PostgreSQL', { hint: example }];
  const { password, pathname, searchParams } = new URL(text);
  if (password !== '' || searchParams.has('password')) {
    const hint = 'leave it out; set PGPASSWORD, or write it to ~/.pgpass (or the file in PGPASSFILE)';
    return ['must not hold a password: this file is read by many', { hint }];
  }
  if (pathname.length < 2) return ['must name a database', { hint: example }];
  const mode = searchParams.get('sslmode');
  if (mode !== null && !sslModes.includes(mode)) {
    const hint = 'verify-full with sslrootcert=FILE is the one that nobody can listen to';
    return [`sslmode must be one of ${sslModes.join(', ')}`, { hint }];
  }
  if (mode === 'verify-ca' && !searchParams.has('sslrootcert'))
    return ['sslmode=verify-ca needs sslrootcert=FILE', { hint: 'name the authority, or take verify-full' }];
  return undefined;
}
