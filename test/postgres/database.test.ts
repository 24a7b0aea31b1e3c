/** What only PostgreSQL has: connections that break, rights, passwords, languages; and many processes on one database. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { closeInventory, openInventory, read, transact } from '../../activities/inventory/database.js';
import { getHost, listHosts, putHost } from '../../activities/inventory/hosts.js';
import { migrations } from '../../activities/inventory/migrations/index.js';
import { makePackage } from '../transpile.js';
import { admin, makePlace, server, type TestPlace } from '../unit/inventory/place.js';
import { runProcess } from '../unit/inventory/processes.js';
import { host, makeWorld, told, type World } from '../unit/inventory/world.js';

let world: World;
let empty: TestPlace;
beforeEach(async () => {
  world = await makeWorld();
  empty = await makePlace();
});
afterEach(async () => {
  await world.close();
  await empty.remove();
});

const settings = { slots: 2, cpuOvercommit: 1, memoryMiBReserved: 0, labels: {} };
const named = (name: string) => ({ ...settings, name, uri: `test+ssh://${name}/system` });
const databaseOf = (place: TestPlace): string => place.at.url?.split('/').at(-1) ?? '';
/** Every connection of the database but the one that asks is ended by the server. */
const endAll = () =>
  admin(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${databaseOf(world.place)}' and pid <> pg_backend_pid()`,
  );

test('four processes migrate an empty database at once', async () => {
  await admin(`drop database ${databaseOf(empty)} with (force)`);
  await admin(`create database ${databaseOf(empty)}`);
  makePackage(empty.folder);
  const source = `
    import { closeInventory, openInventory } from './activities/inventory/database.js';
    import { listHosts } from './activities/inventory/hosts.js';
    const inventory = await openInventory(${JSON.stringify(empty.at)});
    console.log(JSON.stringify(await listHosts(inventory)));
    await closeInventory(inventory);`;
  const answers = await Promise.all([1, 2, 3, 4].map((n) => runProcess(empty.folder, `p${n}`, source)));
  expect(answers).toEqual([[], [], [], []]);
  const inventory = await openInventory(empty.at);
  const { rows } = await read(inventory, (db) =>
    sql<{ name: string }>`select name from kysely_migration order by name`.execute(db),
  );
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(migrations));
  await closeInventory(inventory);
});

test('connections that were ended are made anew, and a transaction is done again from its beginning', async () => {
  const { inventory } = world;
  await host(world, 'kvm-1');
  await endAll();
  expect(await listHosts(inventory)).toHaveLength(1);
  let attempts = 0;
  await transact(inventory, async (trx) => {
    attempts += 1;
    await trx.updateTable('hosts').set({ slots: attempts }).execute();
    if (attempts === 1) await endAll();
    await trx.updateTable('hosts').set({ disabled_reason: 'tried' }).execute();
  });
  expect(attempts).toBe(2);
  expect(await getHost(inventory, 'kvm-1')).toMatchObject({ slots: 2, disabledReason: 'tried' });
});

test('a commit without an answer is told, and not done again', async () => {
  await host(world, 'kvm-1');
  let attempts = 0;
  const work = transact(world.inventory, async (trx) => {
    attempts += 1;
    await trx.updateTable('hosts').set({ slots: 9 }).execute();
    await endAll();
  });
  expect(await told(work)).toContain('the connection broke while it was writing');
  expect(attempts).toBe(1);
});

test('a lock that another keeps too long is told; a short one is waited for', async () => {
  const other = await openInventory({ ...world.place.at, patienceMs: 400 });
  const hold = (ms: number) => transact(world.inventory, () => sleep(ms));
  const short = hold(150);
  await sleep(50);
  await putHost(other, named('kvm-1'));
  await short;
  const long = hold(1500);
  await sleep(50);
  expect(await told(putHost(other, named('kvm-2')))).toContain('another process keeps it locked (55P03)');
  await long;
  await putHost(other, named('kvm-3'));
  expect((await listHosts(other)).map(({ name }) => name)).toEqual(['kvm-1', 'kvm-3']);
  await closeInventory(other);
});

test('whoever has the lock and is not heard of loses it', async () => {
  const silent = await openInventory({ ...world.place.at, patienceMs: 300 });
  const lost = told(transact(silent, () => sleep(1200)));
  await sleep(50);
  await putHost(world.inventory, named('kvm-1'));
  expect(await lost).toContain('InventoryUnavailable');
  await closeInventory(silent);
});

test('texts are sorted by their bytes, whatever the language; numbers are numbers', async () => {
  for (const name of ['b', 'B', 'a', 'ä', 'Z', '_']) await putHost(world.inventory, named(name));
  expect((await listHosts(world.inventory)).map(({ name }) => name)).toEqual(['B', 'Z', '_', 'a', 'b', 'ä']);
  const { rows } = await read(world.inventory, (db) =>
    sql<object>`select count(*) as hosts, sum(slots) as slots, 5000000000::bigint as bytes from hosts`.execute(
      db,
    ),
  );
  expect(rows).toEqual([{ hosts: 6, slots: 12, bytes: 5_000_000_000 }]);
  const collations = await read(world.inventory, (db) =>
    sql<{ found: string }>`select distinct collation_name as found from information_schema.columns
      where table_schema = 'public' and data_type = 'text'`.execute(db),
  );
  expect(collations.rows).toEqual([{ found: 'C' }]);
});

test('a text with the one character that PostgreSQL has not is stored without it', async () => {
  await putHost(world.inventory, { ...named('kvm-1'), uri: 'test://a\0b' });
  expect((await getHost(world.inventory, 'kvm-1')).uri).toBe('test://a\uFFFDb');
});

test('what is wrong with the address, the rights or the server is told with what to do', async () => {
  const open = (url: string) =>
    told(openInventory({ url }).then(closeInventory)).then((text) =>
      text.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST').replaceAll(databaseOf(world.place), 'DATABASE'),
    );
  const at = world.place.at.url ?? '';
  await admin(`create role stranger_${process.pid} login`);
  await admin('create schema nowhere', databaseOf(empty));
  const stranger = empty.at.url?.replace('drover@', `stranger_${process.pid}@`) ?? '';
  try {
    expect(await open(`${server}/nothing`)).toMatchInlineSnapshot(`
      "InventoryUnavailable: the inventory postgresql://drover@HOST/nothing does not answer: there is no database nothing (3D000)
      → make it: createdb --owner=drover nothing"
    `);
    expect(await open('postgresql://drover@127.0.0.1:1/drover')).toMatchInlineSnapshot(`
      "InventoryUnavailable: the inventory postgresql://drover@HOST/drover does not answer: nothing listens there (ECONNREFUSED)
      → start the server, or correct the address in drover.yaml; drover goes on once it answers"
    `);
    expect(await open('postgresql://nobody@127.0.0.1:1/drover?host=/nowhere')).toMatchInlineSnapshot(`
      "InventoryUnavailable: the inventory postgresql://nobody@HOST/drover does not answer: there is no such socket (ENOENT)
      → start the server, or correct the address in drover.yaml; drover goes on once it answers"
    `);
    expect(await open(`${at}?sslmode=verify-full`)).toMatchInlineSnapshot(`
      "InventoryUnavailable: the inventory postgresql://drover@HOST/DATABASE does not answer: it speaks no TLS
      → set ssl = on there, or sslmode=disable in the URL on a trusted network"
    `);
    expect(await open(`${at}?options=-c%20search_path%3Dmissing`)).toMatchInlineSnapshot(`
      "InventoryUnavailable: the inventory postgresql://drover@HOST/DATABASE does not answer: none of the schemas in its search_path is there
      → make one: create schema drover authorization drover; and alter role drover set search_path = drover"
    `);
    expect(await told(openInventory({ url: stranger }))).toContain('(42501)');
  } finally {
    await admin(`drop role stranger_${process.pid}`);
  }
});

test('a database that a newer drover changed is refused', async () => {
  await sql`insert into kysely_migration (name, timestamp) values ('9999-later', 'x')`.execute(
    world.inventory.kysely,
  );
  expect(await told(openInventory(world.place.at))).toContain(
    'a newer drover changed its schema (9999-later)',
  );
});
