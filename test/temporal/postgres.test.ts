/** The database crashes in the middle of operations: they are delayed, and nothing of them is lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { getHost, listHosts } from '../../activities/inventory/hosts.js';
import { listMigrations, listOperations } from '../../activities/inventory/records.js';
import { findPostgres, startPostgres, type PostgresServer } from '../../lab/postgres.js';
import { broken } from '../proof/invariants.js';
import { fault, migrations, slowLink } from '../unit/workflows/cloud.js';
import { until } from './helpers.js';
import { SimulatedCloud } from './simulated.js';
import { begin, endOf, openSite, type Site } from './site.js';

const there = findPostgres() !== null;

let site: Site;
let server: PostgresServer;
let cloud: SimulatedCloud;
let workers: Awaited<ReturnType<SimulatedCloud['serve']>> | undefined;

beforeAll(async () => {
  if (!there) return;
  [site, server] = await Promise.all([openSite(), startPostgres({ durable: true })]);
  server.sql('postgres', 'create database drover');
  cloud = await SimulatedCloud.open({ inventory: { url: server.url('drover') } });
});
afterAll(async () => {
  if (!there) return;
  await workers?.stop();
  await cloud.close();
  await Promise.all([site.close(), server.remove()]);
});

const awayMs = 10_000;

test.runIf(there)('PostgreSQL crashes during a migration, and while another is taken back', async () => {
  const failed: string[] = [];
  let crashed: Promise<void> | undefined;
  workers = await cloud.serve(site, async (activity, work) => {
    // The one that is taken back has begun to be, and has done nothing of it yet.
    if (activity === 'undoMigrate') await (crashed ??= server.stop('immediate'));
    try {
      return await work();
    } catch (error) {
      failed.push(`${activity}: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  });
  const moving = await cloud.adopt('web-1', { local: true });
  const leaving = await cloud.adopt('web-2', { local: true, host: 'h2' });
  const off = await cloud.adopt('web-3', { state: 'stopped', host: 'h3' });
  await slowLink(cloud, 'h1');
  await slowLink(cloud, 'h2');
  const move = await begin(site, 'instance.live-migrate', { instance: moving, host: 'h3' });
  const leave = await begin(site, 'instance.live-migrate', { instance: leaving, host: 'h3' });
  await until('both move', async () => (await migrations(cloud)) === 2);
  await leave.cancel();
  await until('the database has crashed', () => crashed !== undefined);
  await crashed;
  const told = await listHosts(cloud.inventory).catch((error: unknown) => error);
  expect(told).toMatchObject({ code: 'InventoryUnavailable', retryable: true });
  expect(String(told)).toContain('nothing listens there (ECONNREFUSED)');
  // The migration arrives meanwhile, and an operation begins: both wait to write it down.
  await fault(cloud, { do: 'restore', hosts: ['h1', 'h2'] });
  const start = await begin(site, 'instance.start', { instance: off });
  await sleep(awayMs);
  await server.start();

  expect(await Promise.all([endOf(move), endOf(leave), endOf(start)])).toEqual([
    'done',
    'CancelledFailure',
    'done',
  ]);
  await workers.stop();
  workers = undefined;
  expect(failed.filter((one) => one.includes('does not answer')).length).toBeGreaterThan(3);
  expect(failed.filter((one) => !/does not answer|cancelled/i.test(one))).toEqual([]);
  expect(await cloud.instance(moving)).toMatchObject({ state: 'active', host: 'h3', operation: null });
  expect(await cloud.instance(leaving)).toMatchObject({ state: 'active', host: 'h2', operation: null });
  expect(await cloud.instance(off)).toMatchObject({ state: 'active', host: 'h3', operation: null });
  for (const id of [moving, leaving, off]) expect(await broken(cloud, id)).toEqual([]);
  const [moved] = await listOperations(cloud.inventory, { instance: moving });
  const [left] = await listOperations(cloud.inventory, { instance: leaving });
  expect([moved, left]).toMatchObject([{ state: 'succeeded' }, { state: 'cancelled', left: [] }]);
  expect(await listMigrations(cloud.inventory, { instance: moving })).toMatchObject([
    { state: 'completed', downtimeMs: expect.any(Number) },
  ]);
  expect(await listMigrations(cloud.inventory, { instance: leaving })).toMatchObject([
    { state: 'cancelled' },
  ]);
  expect(await getHost(cloud.inventory, 'h3')).toMatchObject({ instances: 2, slotsUsed: 0 });
  expect(await getHost(cloud.inventory, 'h1')).toMatchObject({
    instances: 0,
    memoryMiBUsed: 0,
    slotsUsed: 0,
  });
});
