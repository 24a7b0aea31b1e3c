/** Cold migration, resize, confirm and revert on a whole simulated cloud, in virtual time. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFlavor } from '../../../activities/inventory/flavors.js';
import { listMigrations, listOperations } from '../../../activities/inventory/records.js';
import { cutPower } from '../../../activities/simulator/host-power.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { disks, openCloud, until } from './cloud.js';

let cloud: VirtualCloud;
const flavors = { small: [1, 1024, 0], big: [4, 4096, 0], roomy: [1, 1024, 20], tiny: [1, 512, 1] } as const;

beforeEach(async () => {
  cloud = await openCloud();
  for (const [name, [vcpus, memoryMiB, diskGiB]] of Object.entries(flavors))
    await createFlavor(cloud.inventory, { id: name, name, vcpus, memoryMiB, diskGiB });
});
afterEach(() => cloud.close());

const run = async (key: string, input: Record<string, unknown>) =>
  cloud.operation(`instance.${key}`, input).ending;
const taken = async () =>
  (
    await cloud.inventory.kysely
      .selectFrom('allocations')
      .selectAll()
      .orderBy('host')
      .orderBy('vcpus')
      .execute()
  ).map(
    ({ host, vcpus, memory_mib: memory, operation }) =>
      `${host} ${vcpus}/${memory}${operation === null ? '' : ' claimed'}`,
  );
const sizeOn = (host: string) =>
  cloud.datacenter.transact((tx) =>
    tx.all<{ power: string; vcpus: number; memory_mib: number }>(
      'select power, vcpus, memory_mib from guests where host = ?',
      host,
    ),
  );
const bytesOf = (path: string) =>
  cloud.datacenter.transact((tx) =>
    tx.all<{ bytes: number }>('select bytes from files where path = ?', path),
  );

describe('migrate', () => {
  test.each(['active', 'stopped'] as const)(
    'moves an %s one and holds both places until it is confirmed',
    async (state) => {
      const instance = await cloud.adopt('web-1', { state, local: true });
      const ending = await run('migrate', { instance, host: 'h2', confirm_after: 'never' });
      expect(ending).toMatchObject({ end: 'done', result: { from: 'h1', to: 'h2', storage: 'block' } });
      expect(await cloud.instance(instance)).toMatchObject({
        state: 'resized',
        host: 'h2',
        powerState: state === 'active' ? 'running' : 'shutoff',
        resized: { kind: 'migrate', was: state, host: 'h1', confirmsAt: null },
      });
      expect(await taken()).toEqual(['h1 1/1024', 'h2 1/1024']);
      expect(await sizeOn('h1')).toEqual([]);
      const path = '/var/lib/libvirt/images/web-1.qcow2';
      expect(await disks(cloud)).toEqual([`local/h1:${path}`, `local/h2:${path}`]);
      expect(await run('confirm-resize', { instance })).toMatchObject({ end: 'done' });
      expect(await cloud.instance(instance)).toMatchObject({ state, host: 'h2', resized: null });
      expect(await taken()).toEqual(['h2 1/1024']);
      expect(await disks(cloud)).toEqual([`local/h2:${path}`]);
      expect(await listMigrations(cloud.inventory, { instance })).toMatchObject([
        { kind: 'cold', state: 'completed', storage: 'block', source: 'h1', target: 'h2' },
      ]);
    },
  );

  test('moves no disk on shared storage, and confirms itself at once when it is told to', async () => {
    const instance = await cloud.adopt('web-1');
    const ending = await run('migrate', { instance, confirm_after: '0s' });
    expect(ending).toMatchObject({ end: 'done', result: { storage: 'shared' } });
    expect(await cloud.instance(instance)).toMatchObject({ state: 'active', host: 'h2', resized: null });
    expect(await taken()).toEqual(['h2 1/1024']);
    expect(await disks(cloud)).toEqual(['shared:/srv/shared/web-1.qcow2']);
  });

  test('takes the next host when one can not take it, and runs on the source again when none can', async () => {
    const instance = await cloud.adopt('web-1', { local: true });
    await cloud.datacenter.transact((tx) =>
      tx.run(
        `insert into files (store, path, format, bytes, allocated) values ('local/h2', ?, 'qcow2', 1, 1)`,
        '/var/lib/libvirt/images/web-1.qcow2',
      ),
    );
    expect(await run('migrate', { instance, host: 'h2' })).toMatchObject({
      end: 'failed',
      error: { code: 'AlreadyExists' },
    });
    expect(await cloud.instance(instance)).toMatchObject({
      state: 'active',
      host: 'h1',
      powerState: 'running',
    });
    expect(await taken()).toEqual(['h1 1/1024']);
    expect(await run('migrate', { instance })).toMatchObject({ end: 'done', result: { to: 'h3' } });
  });

  test('a target that dies while the disk is copied does not keep the guest down', async () => {
    const instance = await cloud.adopt('web-1', { local: true, diskGiB: 400 });
    const handle = cloud.operation('instance.migrate', { instance, host: 'h2' });
    await until(cloud, 'the disk is copied', async () => (await sizeOn('h1'))[0]?.power === 'shutoff');
    await cloud.clock.advance(5000);
    await cloud.datacenter.transact((tx) => cutPower(tx, 'h2'));
    expect(await handle.ending).toMatchObject({ end: 'failed', error: { code: 'UnwindIncomplete' } });
    expect(await sizeOn('h1')).toMatchObject([{ power: 'running' }]);
    expect(await cloud.instance(instance)).toMatchObject({
      state: 'active',
      host: 'h1',
      powerState: 'running',
    });
  });
});

describe('resize', () => {
  test('on the same host by default: what both sizes need is held, and going back always fits', async () => {
    const instance = await cloud.adopt('web-1', { memoryMiB: 2048 });
    const ending = await run('resize', { instance, flavor: 'tiny', confirm_after: 'never' });
    expect(ending).toMatchObject({ end: 'failed', error: { code: 'InvalidInput' } });
    expect(await run('resize', { instance, flavor: 'big', confirm_after: 'never' })).toMatchObject({
      end: 'done',
      result: { host: 'h1', vcpus: 4, memoryMiB: 4096, grew: false },
    });
    expect(await sizeOn('h1')).toEqual([{ power: 'running', vcpus: 4, memory_mib: 4096 }]);
    expect(await taken()).toEqual(['h1 4/4096']);
    expect(await run('reboot', { instance })).toMatchObject({ error: { code: 'WrongState' } });
    expect(await run('revert-resize', { instance })).toMatchObject({ end: 'done' });
    expect(await sizeOn('h1')).toEqual([{ power: 'running', vcpus: 1, memory_mib: 2048 }]);
    expect(await run('resize', { instance, flavor: 'small', confirm_after: 'never' })).toMatchObject({
      end: 'done',
    });
    expect(await taken()).toEqual(['h1 0/1024', 'h1 1/1024']);
    expect(await run('confirm-resize', { instance })).toMatchObject({ end: 'done' });
    expect(await taken()).toEqual(['h1 1/1024']);
    expect(await cloud.instance(instance)).toMatchObject({
      state: 'active',
      flavor: 'small',
      memoryMiB: 1024,
    });
  });

  test('elsewhere where it does not fit, growing the copy of the disk; reverted it keeps what was written', async () => {
    const instance = await cloud.adopt('web-1', { local: true });
    await cloud.inventory.kysely.updateTable('hosts').set({ vcpus: 2 }).where('name', '=', 'h1').execute();
    const path = '/var/lib/libvirt/images/web-1.qcow2';
    const big = { id: 'x', name: 'x', vcpus: 4, memoryMiB: 4096, diskGiB: 20 };
    await createFlavor(cloud.inventory, big);
    const ending = await run('resize', { instance, flavor: 'x', confirm_after: 'never' });
    expect(ending).toMatchObject({ end: 'done', result: { from: 'h1', storage: 'block', grew: true } });
    const there = await cloud.instance(instance);
    expect(await taken()).toEqual(['h1 1/1024', `${there.host} 4/4096`]);
    expect((await bytesOf(path)).map(({ bytes }) => bytes / 1024 ** 3)).toEqual([8, 20]);
    expect(await run('revert-resize', { instance })).toMatchObject({
      end: 'done',
      result: { to: 'h1', disk: 'with what was written since' },
    });
    expect((await bytesOf(path)).map(({ bytes }) => bytes / 1024 ** 3)).toEqual([20]);
    expect(await disks(cloud)).toEqual([`local/h1:${path}`]);
    expect(await taken()).toEqual(['h1 1/1024']);
    expect(await cloud.instance(instance)).toMatchObject({
      state: 'active',
      host: 'h1',
      vcpus: 1,
      flavor: null,
    });
  });

  test('reverted to the old disk it is as it was before', async () => {
    const instance = await cloud.adopt('web-1', { local: true });
    await run('migrate', { instance, host: 'h2', confirm_after: 'never' });
    expect(await run('revert-resize', { instance, disk: 'old' })).toMatchObject({
      end: 'done',
      result: { disk: 'as before' },
    });
    expect(await disks(cloud)).toEqual(['local/h1:/var/lib/libvirt/images/web-1.qcow2']);
  });

  test('a revert to a host that is silent is refused', async () => {
    const instance = await cloud.adopt('web-1', { local: true });
    await run('migrate', { instance, host: 'h2', confirm_after: 'never' });
    await cloud.inventory.kysely
      .updateTable('hosts')
      .set({ state: 'unknown' })
      .where('name', '=', 'h1')
      .execute();
    const ending = await run('revert-resize', { instance, disk: 'old' });
    expect(ending).toMatchObject({ end: 'failed', error: { code: 'HostUnknown' } });
    expect(await cloud.instance(instance)).toMatchObject({
      state: 'resized',
      host: 'h2',
      powerState: 'running',
    });
  });

  test('terminated while it is resized, nothing of either place is left', async () => {
    const instance = await cloud.adopt('web-1', { local: true });
    await run('migrate', { instance, host: 'h2', confirm_after: 'never' });
    expect(await run('terminate', { instance })).toMatchObject({ end: 'done' });
    expect(await disks(cloud)).toEqual([]);
    expect(await taken()).toEqual([]);
  });
});

describe('confirms itself', () => {
  const kinds = async (instance: string) =>
    (await listOperations(cloud.inventory, { instance })).map(({ kind, state }) => `${kind} ${state}`);

  test('after its time, and not before', async () => {
    const instance = await cloud.adopt('web-1');
    await run('resize', { instance, flavor: 'big', confirm_after: '2h' });
    await cloud.clock.advance(7_000_000);
    expect(await cloud.instance(instance)).toMatchObject({ state: 'resized' });
    await cloud.settle();
    expect(await cloud.instance(instance)).toMatchObject({ state: 'active', vcpus: 4, resized: null });
    expect(await kinds(instance)).toEqual(['confirm-resize succeeded', 'resize succeeded']);
  });

  test('of an earlier one it does nothing, and asks for nothing', async () => {
    const instance = await cloud.adopt('web-1');
    await run('resize', { instance, flavor: 'big', confirm_after: '1h' });
    await run('revert-resize', { instance });
    await run('resize', { instance, flavor: 'big', confirm_after: 'never' });
    await cloud.settle();
    expect(await cloud.instance(instance)).toMatchObject({ state: 'resized' });
    expect(await kinds(instance)).toEqual([
      'resize succeeded',
      'revert-resize succeeded',
      'resize succeeded',
    ]);
  });

  test('it tries again while its host does not answer', async () => {
    const instance = await cloud.adopt('web-1');
    await run('migrate', { instance, host: 'h2', confirm_after: '1h' });
    await cloud.inventory.kysely
      .updateTable('hosts')
      .set({ state: 'unknown' })
      .where('name', '=', 'h2')
      .execute();
    await cloud.clock.advance(3_700_000);
    expect(await cloud.instance(instance)).toMatchObject({ state: 'resized' });
    await cloud.inventory.kysely.updateTable('hosts').set({ state: 'up' }).where('name', '=', 'h2').execute();
    await cloud.settle();
    expect(await cloud.instance(instance)).toMatchObject({ state: 'active', host: 'h2' });
  });
});
