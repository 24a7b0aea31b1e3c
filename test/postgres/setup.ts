/** Around the suite: one server for all its files, with a database that is up to date, to be copied. */
import { closeInventory, openInventory } from '../../activities/inventory/database.js';
import { startPostgres } from '../../lab/postgres.js';

export default async function setup(): Promise<() => Promise<void>> {
  const server = await startPostgres();
  process.env['DROVER_TEST_POSTGRES'] = server.url('').replace(/\/$/, '');
  server.sql('postgres', 'create database migrated');
  await closeInventory(await openInventory({ url: server.url('migrated') }));
  return () => server.remove();
}
