import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { putFile } from '../../../activities/simulator/files.js';
import { uuidOf } from '../../../activities/simulator/hosts.js';
import { openWorld, type SimulatedWorld } from './world.js';

const id = uuidOf('web-1');
const gib = 1024 ** 3;
const local = '/var/lib/libvirt/images/web-1.qcow2';
const shared = '/srv/shared/web-1.qcow2';
let world: SimulatedWorld;
beforeEach(async () => {
  world = await openWorld();
  const image = { format: 'qcow2', bytes: 2 * gib, allocated: gib / 2, refers_to: null };
  await world.sql((tx) => {
    putFile(tx, 'host1', { ...image, path: '/images/good.qcow2' });
    putFile(tx, 'host1', { ...image, path: '/images/backed.qcow2', refers_to: 'a backing file' });
    putFile(tx, 'host1', { ...image, path: '/images/foreign.vmdk', format: 'VMDK' });
  });
});
afterEach(() => world.close());

const create = (image: string, path = local, diskGiB = 8, on = 'host1') =>
  world.disks.createDisk({ instance: id, image: `/images/${image}`, path, diskGiB }, world.call(id, on));

describe('disks', () => {
  it('are made of an image that all hosts see, in the time that copying takes, twice as once', async () => {
    const begun = world.clock.now();
    const made = await create('good.qcow2', local, 8, 'host2');
    expect(world.clock.now() - begun).toBeGreaterThan(1_000);
    expect(made).toMatchObject({ bytes: 8 * gib, disk: { path: local } });
    expect(await create('good.qcow2', local, 8, 'host2')).toEqual(made);
    const facts = { path: local, format: 'qcow2' as const };
    await expect(world.disks.diskFacts(facts, world.call(id, 'host1'))).rejects.toMatchObject({
      code: 'NotFound',
    });
    await expect(world.disks.diskFacts(facts, world.call(id, 'host2'))).resolves.toMatchObject({
      bytes: 8 * gib,
      allocatedBytes: gib / 2,
    });
  });

  it.each([
    ['backed.qcow2', 8, 'DiskError', 'a backing file'],
    ['foreign.vmdk', 8, 'DiskError', 'VMDK'],
    ['none.qcow2', 8, 'NotFound', 'no image'],
    ['good.qcow2', 1, 'InvalidInput', 'has only'],
  ])('of the image %s with %d GiB are refused', async (image, diskGiB, code, says) => {
    await expect(create(image, local, diskGiB)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(says),
    });
  });

  it('that drover did not make are neither overwritten nor removed by an undo', async () => {
    await world.putDisk('host1', local);
    await expect(create('good.qcow2')).rejects.toMatchObject({ code: 'AlreadyExists' });
    const undo = { instance: id, path: local, onlyIfMade: true };
    await world.disks.removeDisk(undo, world.call(id, 'host1'));
    await expect(world.disks.diskFacts({ path: local }, world.call(id, 'host1'))).resolves.toBeDefined();
  });

  it('stay while a guest of the host has them open', async () => {
    const guest = await world.guest('web-2', { local: true });
    const path = '/var/lib/libvirt/images/web-2.qcow2';
    const remove = () => world.disks.removeDisk({ instance: guest, path }, world.call(guest, 'host1'));
    await expect(remove()).rejects.toMatchObject({
      code: 'DiskError',
      message: expect.stringContaining('in use'),
    });
    await world.hypervisor.destroy(world.host('host1'), guest);
    await expect(remove()).resolves.toEqual({ undone: true });
    await expect(remove()).resolves.toEqual({ undone: true });
  });

  it('do not fit on a full store', async () => {
    await world.sql((tx) => tx.run(`update stores set bytes = 1024 where name = 'local/host1'`));
    await expect(create('good.qcow2')).rejects.toMatchObject({
      code: 'DiskError',
      message: expect.stringContaining('No space left'),
    });
  });

  it('are refused to an older owner, also after the host has lost its power', async () => {
    const prepare = (epoch: number) =>
      world.disks.prepareDisk(
        { instance: id, path: local, format: 'qcow2', bytes: gib },
        world.call(id, 'host1', epoch),
      );
    await prepare(7);
    await world.fault({ do: 'crash', hosts: ['host1'] });
    await world.fault({ do: 'restore', hosts: ['host1'] });
    await world.clock.pass(10_000);
    await expect(prepare(6)).rejects.toMatchObject({ code: 'StaleOwner' });
    await prepare(7);
    await prepare(8);
  });

  it('of one size can be prepared again, of another not', async () => {
    const prepare = (bytes: number) =>
      world.disks.prepareDisk({ instance: id, path: local, format: 'raw', bytes }, world.call(id, 'host1'));
    await prepare(gib);
    await prepare(gib);
    await expect(prepare(2 * gib)).rejects.toMatchObject({ code: 'DiskError' });
    await expect(prepare(0.5)).rejects.toMatchObject({ code: 'InvalidInput' });
  });
});

describe('sharing', () => {
  it.each([
    [shared, true],
    [local, false],
  ])('is proven by a nonce: %s', async (path, isShared) => {
    const probe = { directory: path.slice(0, path.lastIndexOf('/')), nonce: uuidOf('nonce') };
    await world.disks.writeProbe(probe, world.call(id, 'host1'));
    await expect(world.disks.readProbe(probe, world.call(id, 'host2'))).resolves.toEqual({
      shared: isShared,
    });
    await world.disks.removeProbe(probe, world.call(id, 'host1'));
    await expect(world.disks.readProbe(probe, world.call(id, 'host1'))).resolves.toEqual({ shared: false });
  });
});

describe('the worker of a host', () => {
  it('is missing while the host is off, for as long as a queue waits', async () => {
    await world.fault({ do: 'crash', hosts: ['host1'] });
    const begun = world.clock.now();
    await expect(create('good.qcow2')).rejects.toMatchObject({ code: 'HostWorkerMissing' });
    expect(world.clock.now() - begun).toBe(20_000);
  });

  it('dies before it answers, and the next attempt finds what it did', async () => {
    await world.fault({ do: 'lose-answer', call: 'prepareDisk', nth: 1, times: 1 });
    const input = { instance: id, path: local, format: 'qcow2' as const, bytes: gib };
    const call = world.call(id, 'host1');
    await expect(world.disks.prepareDisk(input, call)).rejects.toMatchObject({ code: 'Internal' });
    await expect(world.disks.prepareDisk(input, call)).resolves.toBeUndefined();
  });

  it('reads the serial log of a guest', async () => {
    const guest = await world.guest('web-3');
    await world.clock.pass(10_000);
    const path = '/var/log/libvirt/qemu/web-3.serial';
    const log = await world.disks.readSerialLog({ path, tailBytes: 30 }, world.call(guest, 'host1'));
    expect(log.text).toMatch(/tick 11\ntick 12\n$/);
    expect(log.bytes).toBeGreaterThan(30);
  });
});
