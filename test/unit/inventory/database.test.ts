import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrations } from '../../../activities/inventory/migrations/index.js';
import { closeInventory, openInventory, read, transact } from '../../../activities/inventory/database.js';
import { listHosts } from '../../../activities/inventory/hosts.js';
import { makePackage } from '../../transpile.js';
import { runProcess } from './processes.js';
import { host, told } from './world.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-database-'));
});
afterEach(() => rm(folder, { recursive: true }));

const plain = (text: string) => text.replaceAll(folder, 'DIR');

test('four connections migrate an empty file at once, and each finds the same schema', async () => {
  const path = join(folder, 'new', 'inventory.db');
  const open = await Promise.all([1, 2, 3, 4].map(() => openInventory({ path })));
  for (const inventory of open) {
    expect(await listHosts(inventory)).toEqual([]);
    const names = await read(inventory, (db) =>
      sql<{ name: string }>`select name from kysely_migration`.execute(db),
    );
    expect(names.rows).toEqual(Object.keys(migrations).map((name) => ({ name })));
  }
  await Promise.all(open.map(closeInventory));
});

test('four processes migrate an empty file at once', async () => {
  makePackage(folder);
  const source = `
    import { openInventory } from './activities/inventory/database.js';
    import { listHosts } from './activities/inventory/hosts.js';
    const inventory = await openInventory({ path: './inventory.db'.replace('.', ${JSON.stringify(folder)}) });
    console.log(JSON.stringify(await listHosts(inventory)));`;
  const answers = await Promise.all([1, 2, 3, 4].map((n) => runProcess(folder, `p${n}`, source)));
  expect(answers).toEqual([[], [], [], []]);
});

test('an error takes everything back that its transaction wrote', async () => {
  const inventory = await openInventory({ path: join(folder, 'i.db') });
  await host({ inventory }, 'kvm-1');
  const work = transact(inventory, async (trx) => {
    await trx.updateTable('hosts').set({ slots: 99 }).execute();
    throw new Error('no');
  });
  await expect(work).rejects.toThrow('no');
  expect((await listHosts(inventory)).map((one) => one.slots)).toEqual([2]);
  await closeInventory(inventory);
});

test('what is not a database is refused with its path and what to do', async () => {
  const path = join(folder, 'i.db');
  await writeFile(path, 'this is not a database, but long enough to be looked at. '.repeat(100));
  expect(plain(await told(openInventory({ path })))).toMatchInlineSnapshot(`
    "InventoryUnavailable: the inventory DIR/i.db does not answer: the file is not a drover inventory (SQLITE_NOTADB)
    → check the path in drover.yaml; if it is right, restore the file from a backup"
  `);
});

test('a damaged file is refused', async () => {
  const path = join(folder, 'i.db');
  const inventory = await openInventory({ path });
  await host({ inventory }, 'kvm-1');
  await sql`pragma wal_checkpoint(truncate)`.execute(inventory.kysely);
  await closeInventory(inventory);
  const { readFile } = await import('node:fs/promises');
  const bytes = await readFile(path);
  await writeFile(path, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 7)]));
  const use = openInventory({ path }).then(listHosts);
  expect(plain(await told(use))).toMatchInlineSnapshot(`
    "InventoryUnavailable: the inventory DIR/i.db does not answer: the file is damaged (SQLITE_CORRUPT)
    → stop all drover processes and restore the file from a backup"
  `);
});

test('a folder in the place of the file is refused', async () => {
  expect(plain(await told(openInventory({ path: folder })))).toMatchInlineSnapshot(`
    "InventoryUnavailable: the inventory DIR does not answer: it cannot be opened (SQLITE_CANTOPEN)
    → check that the folder exists and that this user may read and write it"
  `);
});

test('a folder that cannot be made is refused', async () => {
  await writeFile(join(folder, 'file'), '');
  expect(plain(await told(openInventory({ path: join(folder, 'file', 'i.db') })))).toMatchInlineSnapshot(`
    "InventoryUnavailable: the inventory DIR/file/i.db does not answer: its folder cannot be made
    → make the folder DIR/file for this user"
  `);
});

/** As root nothing is read-only, so a process of another user tries. */
test.runIf(process.getuid?.() === 0)('a file, and a folder, that cannot be written are refused', async () => {
  makePackage(folder);
  await chmod(folder, 0o755);
  const path = join(folder, 'i.db');
  const source = `
    import { openInventory } from './activities/inventory/database.js';
    import { setHostEnabled } from './activities/inventory/hosts.js';
    process.setuid(65534);
    const change = { host: 'kvm-1', enabled: true, reason: null, by: 'nobody' };
    const told = await openInventory({ path: ${JSON.stringify(path)} })
      .then((inventory) => setHostEnabled(inventory, change)).then(() => 'allowed', (error) => error.message);
    console.log(JSON.stringify(told));`;
  const inventory = await openInventory({ path });
  await host({ inventory }, 'kvm-1');
  await closeInventory(inventory);
  const inFolder = plain(String(await runProcess(folder, 'folder', source)));
  await chmod(folder, 0o777);
  const onFile = plain(String(await runProcess(folder, 'file', source)));
  expect([inFolder, onFile]).toMatchInlineSnapshot(`
    [
      "the inventory DIR/i.db does not answer: it cannot be written (SQLITE_READONLY)",
      "the inventory DIR/i.db does not answer: it cannot be written (SQLITE_READONLY)",
    ]
  `);
});

test('a file that a newer drover changed is refused', async () => {
  const path = join(folder, 'i.db');
  const inventory = await openInventory({ path });
  await sql`insert into kysely_migration (name, timestamp) values ('0009-later', 'x')`.execute(
    inventory.kysely,
  );
  await closeInventory(inventory);
  expect(plain(await told(openInventory({ path })))).toMatchInlineSnapshot(`
    "InventoryUnavailable: the inventory DIR/i.db does not answer: a newer drover changed its schema (0009-later)
    → use the drover that made it, or a newer one"
  `);
});

test('a lock that another keeps too long is told; a short one is waited for', async () => {
  const path = join(folder, 'i.db');
  const one = await openInventory({ path });
  const other = await openInventory({ path, patienceMs: 2_000 });
  const hold = (ms: number) =>
    transact(one, async () => {
      await new Promise((done) => setTimeout(done, ms));
    });
  const short = hold(150);
  await host({ inventory: other }, 'kvm-1');
  await short;
  const long = hold(5_000);
  expect(plain(await told(host({ inventory: other }, 'kvm-2')))).toMatchInlineSnapshot(`
    "InventoryUnavailable: the inventory DIR/i.db does not answer: another process keeps it locked (SQLITE_BUSY)
    → look who has the file open (\`fuser -v DIR/i.db\`), and try again"
  `);
  await long;
  // libsql remembers a statement that failed because of a lock: it must not be in the way of this commit.
  await host({ inventory: other }, 'kvm-3');
  await Promise.all([one, other].map(closeInventory));
});
