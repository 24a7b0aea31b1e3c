/** What an operator or a backup does to a guest beside drover: jobs and checkpoints that are in the way of a migration. */
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { openLab } from '../../lab/lab.js';
import { openLibvirtWorld, type LibvirtWorld } from './libvirt-world.js';

const name = 'busy';
const copied = `/srv/shared/${name}-copy.qcow2`;
const directory = mkdtempSync(join(tmpdir(), 'drover-jobs-'));
let world: LibvirtWorld;
let wasUp = false;

beforeAll(async () => {
  wasUp = (await openLab().status()).some((host) => host.up);
  world = await openLibvirtWorld(2);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await world.lab.removeGuest(name);
  await world.lab.exec('host1', ['rm', '-f', copied]);
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  if (!wasUp) await world.lab.down();
});

const move = (id: string) => world.move(id, name, 'host1', 'host2');
const migrate = (id: string) => world.activities.migrateGuest(move(id), world.call(id));
const jobOn1 = async (id: string) => (await world.hypervisor.job(world.host('host1'), id))?.operation ?? null;

/** A pull backup, as backup programs make it: its job goes on until somebody ends it. */
async function beginBackup(): Promise<void> {
  const file = join(directory, 'backup.xml');
  await writeFile(
    file,
    `<domainbackup mode='pull'><server transport='unix' socket='/var/lib/libvirt/qemu/${name}.sock'/>
      <disks><disk name='vda' type='file'><scratch file='/srv/shared/${name}.scratch'/></disk></disks></domainbackup>`,
  );
  await world.virsh('host1', 'backup-begin', name, file);
}

it('checkpoints are refused, since the move would lose them', async () => {
  const id = await world.guest({ name, host: 'host1' });
  await world.virsh('host1', 'checkpoint-create-as', name, 'monday');
  await expect(migrate(id)).rejects.toMatchObject({
    code: 'Unsupported',
    message: expect.stringContaining('1 checkpoints'),
    hint: expect.stringContaining('checkpoint-delete'),
  });
  expect(await world.virsh('host1', 'checkpoint-list', '--name', name)).toBe('monday');
  await world.stayedWhole(name, 'host1');

  await world.virsh('host1', 'checkpoint-delete', name, 'monday');
  await migrate(id);
  expect(await world.judge.definitions(name)).toEqual(['host2']);
});

it('a disk that is being copied makes the migration fail, and is copied on', async () => {
  const id = await world.guest({ name, host: 'host1' });
  const copy = ['--format', 'qcow2', '--transient-job', '--bandwidth', '1'];
  await world.virsh('host1', 'blockcopy', name, 'vda', copied, ...copy);
  await expect(migrate(id)).rejects.toMatchObject({
    code: 'MigrationFailed',
    message: expect.stringContaining('active block job'),
  });
  await expect(world.activities.undoMigrate(move(id), world.call(id))).resolves.toEqual({ undone: true });
  await world.stayedWhole(name, 'host1');
  expect(await world.virsh('host1', 'blockjob', name, 'vda', '--info', '--raw')).toContain('Block Copy');
});

it('a guest in the middle of a backup is refused at once, and its backup goes on', async () => {
  const id = await world.guest({ name, host: 'host1' });
  await beginBackup();
  const begun = Date.now();
  await expect(migrate(id)).rejects.toMatchObject({
    code: 'WrongState',
    message: expect.stringContaining('backup'),
  });
  expect(Date.now() - begun).toBeLessThan(5000);
  await expect(world.activities.undoMigrate(move(id), world.call(id))).resolves.toEqual({ undone: true });
  expect(await jobOn1(id)).toBe('backup');
  await world.stayedWhole(name, 'host1');

  await world.virsh('host1', 'domjobabort', name);
  await migrate(id);
  expect(await world.judge.definitions(name)).toEqual(['host2']);
});

it('a backup that begins at the same moment lets the migration fail and goes on', async () => {
  const id = await world.guest({ name, host: 'host1' });
  const start = world.hypervisor.startMigration.bind(world.hypervisor);
  vi.spyOn(world.hypervisor, 'startMigration').mockImplementationOnce(async (what) => {
    await beginBackup();
    return start(what);
  });
  await expect(migrate(id)).rejects.toMatchObject({
    code: 'MigrationFailed',
    message: expect.stringContaining('state change lock'),
  });
  await expect(world.activities.undoMigrate(move(id), world.call(id))).resolves.toEqual({ undone: true });
  expect(await jobOn1(id)).toBe('backup');
  await world.stayedWhole(name, 'host1');
});
