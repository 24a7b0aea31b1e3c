import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assertAllocations, assertOneGuest, openWorld, until, type World } from './world.js';

/** A guest that is off while it moves: what was on its disk is there afterwards, and nothing is anywhere else. */
describe('cold migration and resize on real hosts', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(2);
    await world.guests(
      { name: 'shared-1', host: 'host1', disk: 'shared' },
      { name: 'local-1', host: 'host1', disk: 'local' },
    );
    await world.ok('flavor', 'create', 'two', '--vcpus', '2', '--memory-mib', '128', '--disk-gib', '1');
    await world.ok('flavor', 'create', 'one', '--vcpus', '1', '--memory-mib', '96');
  });
  afterAll(() => world?.close());

  const operate = (...args: string[]) => world.ok('instance', ...args, '--grace', '20s');
  const resized = (name: string, ...args: string[]) => operate(...args, name, '--confirm-after', 'never');
  const taken = async () =>
    (await world.hosts()).map(({ vcpusUsed, memoryMiBUsed }) => `${vcpusUsed}/${memoryMiBUsed}`).join(' ');

  /** The guest has booted on the host and found on its disk what the boot before wrote there. */
  async function cameOver(name: string, host: string, before: { n: number; boot: string }) {
    await world.judge.waitForTick(name, 2, 90_000, { host, notBoot: before.boot });
    const log = await world.ok('instance', 'log', name);
    const [, n, boot] = [...log.matchAll(/GUEST UP .*prev=\[n=(\d+) boot=([0-9a-f]{8})/g)].at(-1) ?? [];
    expect(boot).toBe(before.boot);
    expect(Number(n)).toBeGreaterThanOrEqual(before.n);
  }

  async function sizeOf(name: string, host: string) {
    const { stdout } = await execa('virsh', ['-c', await world.lab.uri(host), 'dominfo', name]);
    return [/^CPU\(s\):\s+(\d+)/m, /^Max memory:\s+(\d+)/m, /^Used memory:\s+(\d+)/m].map((what) =>
      Number(what.exec(stdout)?.[1]),
    );
  }

  /** No export goes on, and of the disk there is what should be. */
  async function clean(...wanted: [host: string, file: string, there: boolean][]) {
    for (const host of ['host1', 'host2'])
      expect(await world.lab.exec(host, ['sh', '-c', 'pgrep qemu-nbd || true'])).toBe('');
    for (const [host, file, there] of wanted)
      expect([host, (await world.judge.diskFiles(host)).includes(file)]).toEqual([host, there]);
  }

  test('on shared storage: there and back, and the old place is held until it is', async () => {
    const before = await world.judge.waitForTick('shared-1', 2, 30_000);
    await resized('shared-1', 'migrate', '--host', 'host2');
    await cameOver('shared-1', 'host2', before);
    expect(await world.judge.definitions('shared-1')).toEqual(['host2']);
    expect(await world.instance('shared-1')).toMatchObject({
      state: 'resized',
      resized: { kind: 'migrate', was: 'active', host: 'host1' },
    });
    expect(await taken()).toBe('2/192 1/96');
    const refused = await world.drover('instance', 'live-migrate', 'shared-1');
    expect(refused).toMatchObject({ code: 3 });
    expect(refused.err).toMatch(/confirm-resize shared-1/);
    const there = await world.judge.waitForTick('shared-1', 3, 30_000);
    await operate('revert-resize', 'shared-1');
    await cameOver('shared-1', 'host1', there);
    await assertOneGuest(world, 'shared-1', 'host1');
    expect((await world.history('shared-1'))[0]).toMatchObject({
      operation: 'revert-resize',
      state: 'succeeded',
    });
  });

  test('a local disk is copied by the hosts themselves, and the old copy goes when it is confirmed', async () => {
    const [disk = ''] = await world.judge.disksOf('local-1', 'host1');
    const before = await world.judge.waitForTick('local-1', 2, 30_000);
    await resized('local-1', 'migrate', '--host', 'host2');
    await cameOver('local-1', 'host2', before);
    await clean(['host1', disk, true], ['host2', disk, true]);
    await world.ok('instance', 'confirm-resize', 'local-1');
    await clean(['host1', disk, false], ['host2', disk, true]);
    await assertOneGuest(world, 'local-1', 'host2');
  });

  test('another size on another host; reverted, what was written since is on the old host', async () => {
    const [disk = ''] = await world.judge.disksOf('local-1', 'host2');
    const before = await world.judge.waitForTick('local-1', 2, 30_000);
    await resized('local-1', 'resize', '--flavor', 'two', '--host', 'host1');
    await cameOver('local-1', 'host1', before);
    expect(await sizeOf('local-1', 'host1')).toEqual([2, 128 * 1024, 128 * 1024]);
    const info = await world.lab.exec('host1', ['qemu-img', 'info', '-U', '--output=json', disk]);
    expect(JSON.parse(info)).toMatchObject({ 'virtual-size': 1024 ** 3 });
    expect(await taken()).toBe('3/224 1/96');
    const there = await world.judge.waitForTick('local-1', 4, 30_000);
    await operate('revert-resize', 'local-1');
    await cameOver('local-1', 'host2', there);
    expect(await sizeOf('local-1', 'host2')).toEqual([1, 96 * 1024, 96 * 1024]);
    await clean(['host1', disk, false], ['host2', disk, true]);
    await assertOneGuest(world, 'local-1', 'host2');
  });

  test('up and down on the same host; it confirms itself; a smaller disk is refused', async () => {
    const before = await world.judge.waitForTick('shared-1', 2, 30_000);
    await operate('resize', 'shared-1', '--flavor', 'two', '--confirm-after', '3s');
    await cameOver('shared-1', 'host1', before);
    expect(await sizeOf('shared-1', 'host1')).toEqual([2, 128 * 1024, 128 * 1024]);
    await until(
      'it confirms itself',
      90_000,
      async () => (await world.instance('shared-1')).state === 'active',
    );
    await assertAllocations(world);
    await operate('resize', 'shared-1', '--flavor', 'one', '--confirm-after', '0s');
    expect(await sizeOf('shared-1', 'host1')).toEqual([1, 96 * 1024, 96 * 1024]);
    await assertOneGuest(world, 'shared-1', 'host1');
    await world.ok('flavor', 'create', 'wide', '--vcpus', '1', '--memory-mib', '96', '--disk-gib', '2');
    await operate('resize', 'shared-1', '--flavor', 'wide', '--confirm-after', '0s');
    const refused = await world.drover('instance', 'resize', 'shared-1', '--flavor', 'two');
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.err).toMatch(/never made smaller/);
  });
});
