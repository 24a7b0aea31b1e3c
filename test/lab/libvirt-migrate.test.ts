/**
 * Live migration by the activities on real hosts, with what goes wrong in its middle. A bandwidth cap makes the
 * middle long enough to hit: 96 MiB at 20 MiB/s take about 4 s.
 */
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openLab } from '../../lab/lab.js';
import type { Disk } from '../../model/instance.js';
import { openLibvirtWorld, until, type LabCall, type LibvirtWorld } from './libvirt-world.js';

const name = 'mover';
const slow = { bandwidthMiBs: 20 };
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
  if (!wasUp) await world.lab.down();
});

/** Starts it and waits until it copies. */
async function underway(id: string, call: LabCall, changes = {}) {
  const input = world.move(id, name, 'host1', 'host2', { ...slow, ...changes });
  const running = world.activities.migrateGuest(input, call);
  running.catch(() => undefined);
  await until('the job copies', () =>
    call.beats.some((beat) => beat['phase'] === 'copying' && beat['percent'] !== null),
  );
  return { input, running };
}

async function clientPid(id: string): Promise<number> {
  const found = await execa('pgrep', ['-f', `virsh .*migrate --domain ${id}`]);
  return Number(found.stdout.split('\n')[0]);
}

describe('a migration', () => {
  it('moves the running guest: nothing is lost, both sides are told, the stamp goes along', async () => {
    const id = await world.guest({ name, host: 'host1' });
    const call = world.call(id);
    const input = world.move(id, name, 'host1', 'host2');
    const answer = await world.activities.migrateGuest(input, call);
    expect(answer.downtimeMs).toBeGreaterThan(0);
    expect(answer.downtimeMs).toBeLessThan(2000);
    await world.judge.waitForTick(name, 3, 20_000, { host: 'host2' });
    expect((await world.judge.assertUnbroken(name)).hosts).toEqual(['host1', 'host2']);
    expect(await world.judge.definitions(name)).toEqual(['host2']);
    expect((await world.hypervisor.look(world.host('host2'), id))?.stamp).toEqual(call.owner);
    expect(world.migrations.get(input.migration)).toMatchObject({
      state: 'completed',
      downtimeMs: answer.downtimeMs,
    });
    // A repeated attempt, and an undo that comes too late, find out what is so.
    await expect(world.activities.migrateGuest(input, world.call(id))).resolves.toEqual(answer);
    await expect(world.activities.undoMigrate(input, world.call(id))).resolves.toMatchObject({
      undone: false,
      patch: { host: 'host2' },
    });
  });

  it('goes on without its client, and the next attempt follows the same job', async () => {
    const id = await world.guest({ name, host: 'host1' });
    const first = world.call(id);
    const { input, running } = await underway(id, first);
    first.stop(false);
    await expect(running).rejects.toMatchObject({ code: 'Internal', retryable: true });
    process.kill(await clientPid(id), 'SIGKILL');
    expect((await world.hypervisor.job(world.host('host1'), id))?.operation).toBe('outgoing migration');
    expect((await world.hypervisor.job(world.host('host2'), id))?.operation).toBe('incoming migration');
    expect((await world.hypervisor.look(world.host('host2'), id))?.power).toBe('migrating');

    const second = { ...world.call(id), owner: first.owner };
    await expect(world.activities.migrateGuest(input, second)).resolves.toMatchObject({
      downtimeMs: expect.any(Number),
    });
    await world.judge.waitForTick(name, 3, 20_000, { host: 'host2' });
    await world.judge.assertUnbroken(name);
  });

  it('is aborted by a cancel, and the guest has not noticed', async () => {
    const id = await world.guest({ name, host: 'host1' });
    const call = world.call(id);
    const { input, running } = await underway(id, call);
    call.stop(true);
    await expect(running).rejects.toMatchObject({ code: 'Cancelled' });
    expect(world.migrations.get(input.migration)).toMatchObject({ state: 'cancelled' });
    await expect(world.activities.undoMigrate(input, world.call(id))).resolves.toEqual({ undone: true });
    expect(await world.judge.copies(name)).toMatchObject([{ host: 'host1', state: 'running' }]);
    expect(await world.judge.definitions(name)).toEqual(['host1']);
    await world.judge.waitForTick(name, 6, 20_000);
    await world.judge.assertUnbroken(name);
  });

  it('fails with a reason when somebody else aborts its job', async () => {
    const id = await world.guest({ name, host: 'host1' });
    const { running } = await underway(id, world.call(id));
    await world.virsh('host1', 'domjobabort', name);
    await expect(running).rejects.toMatchObject({
      code: 'MigrationFailed',
      message: expect.stringMatching(/abort|cancel/i),
    });
    await world.judge.assertUnbroken(name);
  });

  it('is aborted when it takes too long', async () => {
    const id = await world.guest({ name, host: 'host1' });
    const input = world.move(id, name, 'host1', 'host2', { bandwidthMiBs: 8, timeoutSeconds: 3 });
    await expect(world.activities.migrateGuest(input, world.call(id))).rejects.toMatchObject({
      code: 'TimedOut',
    });
    expect(await world.judge.copies(name)).toHaveLength(1);
  });

  it('keeps a paused guest paused', async () => {
    const id = await world.guest({ name, host: 'host1' });
    await world.activities.pauseGuest({ instance: id, name, host: world.host('host1') }, world.call(id));
    await world.activities.migrateGuest(world.move(id, name, 'host1', 'host2'), world.call(id));
    expect((await world.hypervisor.look(world.host('host2'), id))?.power).toBe('paused');
    await world.activities.unpauseGuest({ instance: id, name, host: world.host('host2') }, world.call(id));
    await world.judge.waitForTick(name, 3, 20_000, { host: 'host2' });
    await world.judge.assertUnbroken(name);
  });
});

describe('a block migration', () => {
  const path = `/var/lib/libvirt/images/${name}.qcow2`;
  const disks: Disk[] = [{ target: 'vda', path, format: 'qcow2', readonly: false }];
  const block = { copy: ['vda'], disks };
  const onTarget = (...command: string[]) => world.lab.exec('host2', command);

  it('fills a prepared disk; the source’s file stays for the clean-up', async () => {
    const id = await world.guest({ name, host: 'host1', disk: 'local' });
    await onTarget('qemu-img', 'create', '-q', '-f', 'qcow2', path, '64M');
    await world.activities.migrateGuest(world.move(id, name, 'host1', 'host2', block), world.call(id));
    await world.judge.waitForTick(name, 3, 20_000, { host: 'host2' });
    await world.judge.assertUnbroken(name);
    expect(await world.judge.diskFiles('host1')).toContain(path);
  });

  it.each([
    ['without a prepared disk', null, /no storage pool|Storage pool not found/i],
    ['with one of another size', '65M', /different sizes/],
  ])('fails with libvirt’s reason %s', async (_what, size, reason) => {
    const id = await world.guest({ name, host: 'host1', disk: 'local' });
    if (size !== null) await onTarget('qemu-img', 'create', '-q', '-f', 'qcow2', path, size);
    const input = world.move(id, name, 'host1', 'host2', block);
    await expect(world.activities.migrateGuest(input, world.call(id))).rejects.toMatchObject({
      code: 'MigrationFailed',
      message: expect.stringMatching(reason),
    });
    await expect(world.activities.undoMigrate(input, world.call(id))).resolves.toEqual({ undone: true });
    await world.judge.assertUnbroken(name);
  });

  it('is refused as unsafe when the disk is taken for shared and is not', async () => {
    const id = await world.guest({ name, host: 'host1', disk: 'local' });
    await expect(
      world.activities.migrateGuest(world.move(id, name, 'host1', 'host2'), world.call(id)),
    ).rejects.toMatchObject({
      code: 'MigrationFailed',
      message: expect.stringContaining('Unsafe migration'),
    });
    expect(await world.judge.copies(name)).toHaveLength(1);
  });
});
