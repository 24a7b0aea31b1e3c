/** The command on an inventory in PostgreSQL, and without one. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeInventory, openInventory } from '../../activities/inventory/database.js';
import { startPostgres, type PostgresServer } from '../../lab/postgres.js';
import { makePlace, putHost, type Place } from '../unit/cli/drover.js';

let server: PostgresServer;
let place: Place;
let told: string;

beforeAll(async () => {
  server = await startPostgres();
  server.sql('postgres', 'create database drover');
  const url = server.url('drover');
  told = url;
  place = makePlace(`cloud: test\nidentity: { name: ann }\ninventory:\n  postgres: ${url}?sslmode=disable\n`);
  const inventory = await openInventory({ url });
  await putHost(inventory, 'kvm-1');
  await closeInventory(inventory);
});
afterAll(async () => {
  place.remove();
  await server.remove();
});

test('what was written there is listed, and the command ends by itself', async () => {
  const { stdout, exitCode, seconds } = await place.drover(['host', 'list', '--output', 'json']);
  expect(JSON.parse(stdout)).toMatchObject([{ name: 'kvm-1' }]);
  expect(exitCode).toBe(0);
  // A pool that waits for its idle connections would take ten seconds.
  expect(seconds).toBeLessThan(9);
});

test('the doctor tells version, user and schema, and what a power cut would take', async () => {
  const { stdout } = await place.drover(['doctor']);
  expect(stdout).toContain(`ok  inventory: ${told}: 1 hosts, 0 instances`);
  expect(stdout).toMatch(/ok {2}inventory database: PostgreSQL \d+\.\d+, as drover, schema \d{4}-/);
  expect(stdout).toContain('!!  inventory database: fsync is off');
  expect(stdout).not.toContain('sslmode');
});

test('while the database is away: InventoryUnavailable, at once, with what to do', async () => {
  await server.stop('immediate');
  const { stderr, exitCode, seconds } = await place.drover(['instance', 'list']);
  expect(exitCode).toBe(4);
  expect(stderr).toContain(`the inventory ${told} does not answer: nothing listens there (ECONNREFUSED)`);
  expect(stderr).toContain('start the server');
  expect(seconds).toBeLessThan(9);
  await server.start();
  expect((await place.drover(['instance', 'list'])).exitCode).toBe(0);
});
