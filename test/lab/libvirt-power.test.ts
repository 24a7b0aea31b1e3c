/** Starting, stopping, rebooting, launching, removing; and hosts that do not answer. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openLab } from '../../lab/lab.js';
import { openLibvirtWorld, type LibvirtWorld } from './libvirt-world.js';

const name = 'powered';
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

const guestOf = (instance: string) => ({ instance, name, host: world.host('host1') });
const power = async (id: string) => (await world.hypervisor.look(world.host('host1'), id))?.power;

describe('power', () => {
  it('stops by the power button, and stopping a stopped guest is done', async () => {
    const id = await world.guest({ name, host: 'host1' });
    const stop = { ...guestOf(id), graceSeconds: 30 };
    await expect(world.activities.stopGuest(stop, world.call(id))).resolves.toEqual({ forced: false });
    expect(await power(id)).toBe('shutoff');
    await expect(world.activities.stopGuest(stop, world.call(id))).resolves.toEqual({ forced: false });
    await expect(world.activities.startGuest(guestOf(id), world.call(id))).resolves.toEqual({
      power: 'running',
    });
    await expect(world.activities.startGuest(guestOf(id), world.call(id))).resolves.toEqual({
      power: 'running',
    });
  });

  it('forces a guest that does not hear, and one that is paused', async () => {
    const id = await world.guest({ name, host: 'host1' });
    await expect(
      world.activities.stopGuest({ ...guestOf(id), graceSeconds: 0 }, world.call(id)),
    ).resolves.toEqual({ forced: true });
    await world.activities.startGuest(guestOf(id), world.call(id));
    await world.activities.pauseGuest(guestOf(id), world.call(id));
    await expect(
      world.activities.stopGuest({ ...guestOf(id), graceSeconds: 30 }, world.call(id)),
    ).resolves.toEqual({ forced: true });
    expect(await power(id)).toBe('shutoff');
  });

  it.each([
    ['softly', true, false],
    ['by its power', false, true],
  ])('reboots %s into a new boot', async (_how, soft, forced) => {
    const id = await world.guest({ name, host: 'host1' });
    const [before] = await world.judge.ticks(name);
    const input = { ...guestOf(id), soft, graceSeconds: 30 };
    await expect(world.activities.rebootGuest(input, world.call(id))).resolves.toEqual({ forced });
    await world.judge.waitForTick(name, 1, 30_000, { notBoot: before?.boot ?? '' });
    expect(await world.judge.copies(name)).toHaveLength(1);
  });

  it('starts a guest that crashed', async () => {
    const id = await world.guest({ name, host: 'host1' });
    const [copy] = await world.judge.copies(name);
    process.kill(copy?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => power(id), { timeout: 10_000 }).toBe('crashed');
    await expect(world.activities.startGuest(guestOf(id), world.call(id))).resolves.toEqual({
      power: 'running',
    });
  });

  it('refuses a late step of an operation that was replaced', async () => {
    const id = await world.guest({ name, host: 'host1' });
    await world.activities.pauseGuest(guestOf(id), world.call(id, 1000));
    await expect(world.activities.unpauseGuest(guestOf(id), world.call(id, 999))).rejects.toMatchObject({
      code: 'StaleOwner',
    });
    await expect(world.activities.removeGuest(guestOf(id), world.call(id, 999))).rejects.toMatchObject({
      code: 'StaleOwner',
    });
    expect(await power(id)).toBe('paused');
  });

  it('has no stamp before drover acts on it', async () => {
    const id = await world.guest({ name, host: 'host1' });
    await world.activities.look({ instance: id, hosts: world.refs }, world.call(id));
    expect((await world.hypervisor.look(world.host('host1'), id))?.stamp).toBeNull();
  });
});

describe('launching', () => {
  it('boots an image with the definition that drover writes, and removes it', async () => {
    const image = await world.lab.guestImage();
    const path = `${world.lab.sharedDir}/${name}.qcow2`;
    await world.lab.exec('host1', ['qemu-img', 'convert', '-f', 'qcow2', '-O', 'qcow2', image, path]);
    const id = randomUUID();
    const disk = { target: 'vda', path, format: 'qcow2', readonly: false } as const;
    const spec = { id, name, vcpus: 1, memoryMiB: 128, disks: [disk], bridges: ['br0'] };
    await world.activities.defineGuest({ host: world.host('host1'), spec }, world.call(id));
    await expect(world.activities.startGuest(guestOf(id), world.call(id))).resolves.toEqual({
      power: 'running',
    });
    const tick = await world.judge.waitForTick(name, 1, 90_000);
    expect(tick.host).toBe('host1');
    await world.activities.migrateGuest(world.move(id, name, 'host1', 'host2'), world.call(id));
    await world.judge.waitForTick(name, tick.n + 2, 30_000, { host: 'host2' });
    const there = { ...guestOf(id), host: world.host('host2') };
    await expect(world.activities.removeGuest(there, world.call(id))).resolves.toEqual({ undone: true });
    await expect(world.activities.removeGuest(there, world.call(id))).resolves.toEqual({ undone: true });
    expect(await world.judge.copies(name)).toEqual([]);
    expect(await world.judge.definitions(name)).toEqual([]);
  });
});

describe('a host that does not answer', () => {
  it.each([
    ['crashed', () => world.lab.crash('host2')],
    ['cut off', () => world.lab.partition('host2')],
  ])('is told within seconds when it is %s', async (_how, fail) => {
    await fail();
    const begun = Date.now();
    const found = await world.activities.probeHosts({}, world.call(randomUUID()));
    expect(Date.now() - begun).toBeLessThan(7000);
    expect(found).toEqual({ up: ['host1'], unknown: [{ host: 'host2', reason: expect.any(String) }] });
    expect(world.probes.get('host1')).toMatchObject({ up: true, facts: { hostname: 'host1' } });
    expect(world.probes.get('host2')).toMatchObject({ up: false });

    const seen = await world.activities.look(
      { instance: randomUUID(), hosts: world.refs },
      world.call(randomUUID()),
    );
    expect(seen.sightings).toMatchObject([
      { host: 'host1', power: 'absent', error: null },
      { host: 'host2', power: 'unknown', error: expect.any(String) },
    ]);
  });

  it('is told when only its libvirtd is dead, and its guest is found again', async () => {
    const id = await world.guest({ name, host: 'host1' });
    await world.lab.libvirtd('host1', 'kill');
    const down = await world.activities.look({ instance: id, hosts: [world.host('host1')] }, world.call(id));
    expect(down.sightings).toMatchObject([{ power: 'unknown' }]);
    await world.lab.libvirtd('host1', 'start');
    const back = await world.activities.look({ instance: id, hosts: [world.host('host1')] }, world.call(id));
    expect(back.sightings).toMatchObject([{ power: 'running', persistent: true }]);
    await world.judge.assertUnbroken(name);
  });
});
