/** A host is lost: what was on it is brought back from the shared disks, by what drover has kept of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { imageInfo } from '../../activities/disk/qemu-img.js';
import { closeInventory, openInventory, transact } from '../../activities/inventory/database.js';
import { writeFence } from '../../activities/inventory/incidents.js';
import { openWorld, type World } from './world.js';

const names = ['runs', 'paused', 'asleep', 'off'];
const before = new Map<string, { definition: string; boot: string }>();
let world: World;

beforeAll(async () => {
  const shared = ['--storage', 'shared=/srv/shared'];
  world = await openWorld(2, { hostOptions: shared });
  for (const name of names)
    await world.lab.createGuest({ name, host: 'host1', disk: 'shared', ip: await addressOf(name) });
  for (const name of names) await world.judge.waitForTick(name, 2, 180_000);
  await world.ok('instance', 'adopt', 'host1', '--all');
  await world.ok('instance', 'pause', 'paused');
  await world.ok('instance', 'suspend', 'asleep');
  await world.ok('instance', 'stop', 'off', '--grace', '1s');
  for (const name of names) {
    const boot = (await world.judge.ticks(name)).at(-1)?.boot ?? '';
    before.set(name, { definition: await definition('host1', name), boot });
  }
});
afterAll(() => world?.close());

const addressOf = async (name: string) =>
  (await world.lab.gateway()).replace(/\.1$/, `.${201 + names.indexOf(name)}`);

/** As libvirt stores it, but for drover's stamp, which each operation writes anew. */
async function definition(host: string, name: string): Promise<string> {
  const { stdout } = await execa('virsh', [
    '-q',
    '-c',
    await world.lab.uri(host),
    'dumpxml',
    '--inactive',
    name,
  ]);
  return stdout.replace(/ *<metadata>[^]*<\/metadata>\n/, '');
}

/** As a recovery writes it once somebody has attested that the host is off. */
async function attest(host: string): Promise<void> {
  const inventory = await openInventory({ path: join(world.dir, 'inventory.db') });
  const at = inventory.now();
  const says = 'its power cord is out';
  const evidence = { kind: 'attested' as const, at, says, device: null, verified: false, by: 'ada' };
  await transact(inventory, (trx) =>
    writeFence(trx, host, { incident: 'by-hand', at, evidence, state: 'held' as const }),
  );
  await closeInventory(inventory);
}

const evacuate = (name: string) => world.drover('instance', 'evacuate', name);

test('nothing is started elsewhere before it is proven that the host is off', async () => {
  expect(await evacuate('runs')).toMatchObject({ code: 3, err: expect.stringContaining('host recover') });
  // Told that it is off while its guests run: QEMU's lock on the disk tells otherwise.
  const disk = join(world.lab.hostPaths('host1').shared, 'runs.qcow2');
  await expect(imageInfo(disk, 'qcow2', { unused: true })).rejects.toMatchObject({ code: 'DiskLocked' });
  expect(await world.judge.definitions('runs')).toEqual(['host1']);
  await attest('host1');
  expect(await world.drover('instance', 'stop', 'runs')).toMatchObject({
    code: 3,
    err: expect.stringContaining('is fenced'),
  });
});

test('each comes back as it was, by its own definition, on its own disk', async () => {
  await world.lab.crash('host1');
  const ended = await Promise.all(names.map(evacuate));
  for (const { code, err } of ended) expect({ code, err }).toMatchObject({ code: 0 });
  for (const name of names) {
    const runs = name !== 'off';
    const shown = await world.instance(name);
    expect(shown).toMatchObject({ host: 'host2', state: runs ? 'active' : 'stopped', needsRepair: null });
    expect(await definition('host2', name)).toBe(before.get(name)?.definition);
    expect((await world.judge.copies(name)).map(({ host }) => host)).toEqual(runs ? ['host2'] : []);
    if (!runs) continue;
    const { boot = '' } = before.get(name) ?? {};
    await world.judge.waitForTick(name, 1, 180_000, { host: 'host2', notBoot: boot });
    const console = readFileSync(world.lab.hostPaths('host2').serialLog(name), 'latin1');
    expect(console).toMatch(new RegExp(`prev=\\[n=\\d+ boot=${boot} name=${name}\\]`));
  }
  expect(before.get('runs')?.definition).toContain('<mac address=');
});

test('what was evacuated is an instance like any other, and takes its room on the new host', async () => {
  await world.ok('instance', 'start', 'off');
  await world.judge.waitForTick('off', 1, 180_000, { host: 'host2', notBoot: before.get('off')?.boot ?? '' });
  const hosts = await world.hosts();
  expect(hosts.find(({ name }) => name === 'host1')).toMatchObject({ instances: 0, memoryMiBUsed: 0 });
  expect(hosts.find(({ name }) => name === 'host2')).toMatchObject({ instances: names.length });
});
