/** Where the inventories of these tests are: a file, or in the suite `postgres` a database of a real server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { InventoryPlace } from '../../../model/inventory.js';

/** The server's address without a database; undefined in the suite that has SQLite. */
export const server = process.env['DROVER_TEST_POSTGRES'];

export interface TestPlace {
  /** Empty, and nobody else's. */
  at: InventoryPlace;
  /** A folder, for whatever is needed beside it. */
  folder: string;
  remove(): Promise<void>;
}

let made = 0;

export async function makePlace(): Promise<TestPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-inventory-'));
  const removeFolder = () => rm(folder, { recursive: true });
  if (server === undefined)
    return { at: { path: join(folder, 'inventory.db') }, folder, remove: removeFolder };
  made += 1;
  const name = `t${process.pid}_${process.env['VITEST_WORKER_ID'] ?? 0}_${made}_${Date.now()}`;
  await admin(`create database ${name} template migrated strategy file_copy`);
  return {
    at: { url: `${server}/${name}` },
    folder,
    async remove() {
      await removeFolder();
      await admin(`drop database ${name} with (force)`);
    },
  };
}

/** A statement of the server's superuser. */
export async function admin(text: string, database = 'postgres'): Promise<void> {
  const client = new Client({ connectionString: `${server}/${database}` });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
