/** Daemons, processes, links and whole hosts that die in the middle of a migration. */
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openLab } from '../../lab/lab.js';
import { openLibvirtWorld, until, type LibvirtWorld } from './libvirt-world.js';

const name = 'faulty';
const directory = mkdtempSync(join(tmpdir(), 'drover-faults-'));
let world: LibvirtWorld;
let wasUp = false;

beforeAll(async () => {
  wasUp = (await openLab().status()).some((host) => host.up);
  world = await openLibvirtWorld(2);
});
afterEach(async () => {
  await world.restore();
  await world.lab.removeGuest(name);
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  if (!wasUp) await world.lab.down();
});

async function underway() {
  const id = await world.guest({ name, host: 'host1' });
  const call = world.call(id);
  const input = world.move(id, name, 'host1', 'host2', { bandwidthMiBs: 20 });
  const running = world.activities.migrateGuest(input, call);
  running.catch(() => undefined);
  await until('the job copies', () =>
    call.beats.some((beat) => beat['phase'] === 'copying' && beat['percent'] !== null),
  );
  return { id, input, running };
}

const stayedWhole = () => world.stayedWhole(name, 'host1');

describe('in the middle of a migration', () => {
  it('the target’s qemu is killed', async () => {
    const { id, input, running } = await underway();
    const incoming = (await world.judge.copies(name)).find((copy) => copy.host === 'host2');
    process.kill(incoming?.pid ?? 0, 'SIGKILL');
    await expect(running).rejects.toMatchObject({ code: 'MigrationFailed' });
    await expect(world.activities.undoMigrate(input, world.call(id))).resolves.toEqual({ undone: true });
    await stayedWhole();
  });

  it.each(['host1', 'host2'])('libvirtd of %s is killed and comes back', async (host) => {
    const { id, input, running } = await underway();
    await world.lab.libvirtd(host, 'kill');
    await world.lab.libvirtd(host, 'start');
    await expect(running).rejects.toMatchObject({ code: 'MigrationFailed' });
    await expect(world.activities.undoMigrate(input, world.call(id))).resolves.toEqual({ undone: true });
    await stayedWhole();
  });

  it('the target loses its power', async () => {
    const { id, input, running } = await underway();
    await world.lab.crash('host2');
    const begun = Date.now();
    await expect(running).rejects.toMatchObject({ code: 'MigrationFailed' });
    expect(Date.now() - begun).toBeLessThan(40_000);
    await expect(world.activities.undoMigrate(input, world.call(id))).rejects.toMatchObject({
      code: 'HypervisorUnreachable',
    });
    await world.lab.boot('host2');
    await expect(world.activities.undoMigrate(input, world.call(id))).resolves.toEqual({ undone: true });
    await stayedWhole();
  });

  it('the target is cut off for a while', async () => {
    const { id, input, running } = await underway();
    await world.lab.partition('host2');
    await until(
      'the source gave up',
      async () => (await world.hypervisor.job(world.host('host1'), id)) === null,
      30_000,
    );
    await world.lab.heal('host2');
    await expect(running).rejects.toMatchObject({ code: 'MigrationFailed' });
    await expect(world.activities.undoMigrate(input, world.call(id))).resolves.toEqual({ undone: true });
    await stayedWhole();
  });
});

describe('what is in the way', () => {
  const migrate = (id: string) =>
    world.activities.migrateGuest(world.move(id, name, 'host1', 'host2'), world.call(id));

  it('an old definition of the same guest on the target is removed', async () => {
    const id = await world.guest({ name, host: 'host1' });
    const file = join(directory, 'old.xml');
    await writeFile(file, await world.virsh('host1', 'dumpxml', '--inactive', name));
    await world.virsh('host2', 'define', '--file', file);
    await migrate(id);
    expect(await world.judge.definitions(name)).toEqual(['host2']);
  });

  it('another guest of that name on the target is named', async () => {
    const id = await world.guest({ name, host: 'host1' });
    await world.lab.createGuest({ name, host: 'host2', disk: 'none', start: false });
    const other = await world.virsh('host2', 'domuuid', name);
    await expect(migrate(id)).rejects.toMatchObject({
      code: 'HypervisorError',
      message: expect.stringContaining(other),
    });
    expect(await world.judge.definitions(name)).toEqual(['host1', 'host2']);
  });

  it('snapshots and a saved memory image are refused before anything begins', async () => {
    const id = await world.guest({ name, host: 'host1' });
    await world.virsh('host1', 'snapshot-create-as', name, 'one');
    await expect(migrate(id)).rejects.toMatchObject({
      code: 'Unsupported',
      message: expect.stringContaining('1 snapshots'),
    });
    await world.virsh('host1', 'snapshot-delete', name, 'one');
    await world.virsh('host1', 'managedsave', name);
    expect(await world.hypervisor.look(world.host('host1'), id)).toMatchObject({
      managedSave: true,
      power: 'shutoff',
    });
    await expect(migrate(id)).rejects.toMatchObject({ code: 'WrongState' });
    expect(await world.judge.definitions(name)).toEqual(['host1']);
  });

  it('the definition goes with its saved memory image, so that no later guest wakes up with it', async () => {
    const id = await world.guest({ name, host: 'host1' });
    await world.virsh('host1', 'managedsave', name);
    const guest = { instance: id, name, host: world.host('host1') };
    await expect(world.activities.removeGuest(guest, world.call(id))).resolves.toEqual({ undone: true });
    expect((await world.judge.diskFiles('host1')).filter((file) => file.endsWith('.save'))).toEqual([]);
  });
});
