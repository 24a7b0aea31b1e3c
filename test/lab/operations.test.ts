import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from './cli.js';
import { assertAllocations, assertOneGuest, openWorld, until, type World } from './world.js';

describe('operations on real hosts', () => {
  let world: World;
  let image: string;
  beforeAll(async () => {
    world = await openWorld(2);
    image = await world.lab.guestImage();
    await world.ok('flavor', 'create', 'tiny', '--vcpus', '1', '--memory-mib', '96');
  });
  afterAll(() => world?.close());

  const state = async (name: string) => {
    const { state: is, powerState } = await world.instance(name);
    return `${is}/${powerState}`;
  };
  const powerOf = async (name: string, host: string) =>
    (await world.judge.domains(host)).find((one) => one.name === name)?.state ?? 'absent';

  test('adoption takes a guest as it is and does not touch it; a second time it is there already', async () => {
    await world.lab.createGuest({ name: 'old-1', host: 'host1', disk: 'shared' });
    await world.judge.waitForTick('old-1', 2, 90_000);
    const uri = await world.lab.uri('host1');
    const definition = async () => (await execa('virsh', ['-c', uri, 'dumpxml', 'old-1'])).stdout;
    const before = await definition();
    await world.ok('instance', 'adopt', 'host1', '--all');
    expect(await definition()).toBe(before);
    await world.judge.assertUnbroken('old-1');
    await assertOneGuest(world, 'old-1', 'host1');
    expect(await world.ok('instance', 'adopt', 'host1', '--all')).toMatch(/old-1.*already/);
    await world.ok('instance', 'terminate', 'old-1', '--yes');
  });

  test('launch from a disk image on local storage, on the host that is asked for', async () => {
    await world.ok('instance', 'launch', 'web-1', '--flavor', 'tiny', '--image', image, '--host', 'host2');
    await world.judge.waitForTick('web-1', 2, 90_000, { host: 'host2' });
    await assertOneGuest(world, 'web-1', 'host2');
    const disks = await world.judge.diskFiles('host2');
    expect(disks.filter((path) => path.endsWith('.qcow2')).length).toBe(1);
    expect(await world.ok('instance', 'log', 'web-1')).toMatch(/TICK n=\d+/);
  });

  test('the console attaches a terminal to the guest, and Ctrl-] detaches it', async () => {
    // script(1) gives the command a terminal; the guest takes a few words there.
    const command = `${process.execPath} ${main} instance console web-1`;
    const terminal = execa('script', ['-qfec', command, '/dev/null'], {
      env: world.env,
      cwd: world.dir,
      reject: false,
      timeout: 60_000,
    });
    let shown = '';
    terminal.stdout?.on('data', (text: Buffer) => (shown += String(text)));
    await until('the console shows the counter', 30_000, () => /TICK n=\d+/.test(shown));
    terminal.stdin?.write('dirty 0\r');
    await until('the guest answers', 30_000, () => shown.includes('GUEST dirty 0'));
    terminal.stdin?.write('\u001d');
    expect((await terminal).exitCode).toBe(0);
  });

  test('pause stops the counter, unpause lets it go on where it was', async () => {
    await world.ok('instance', 'pause', 'web-1');
    expect(await state('web-1')).toBe('paused/paused');
    expect(await powerOf('web-1', 'host2')).toBe('paused');
    const last = (await world.judge.ticks('web-1')).at(-1);
    await world.ok('instance', 'unpause', 'web-1');
    await world.judge.waitForTick('web-1', last?.n ?? 0, 30_000);
    await world.judge.assertUnbroken('web-1');
    expect(await state('web-1')).toBe('active/running');
  });

  test('a paused guest moves and stays paused', async () => {
    await world.ok('instance', 'pause', 'web-1');
    await world.ok('instance', 'live-migrate', 'web-1');
    expect(await state('web-1')).toBe('paused/paused');
    await assertOneGuest(world, 'web-1', 'host1');
    await world.ok('instance', 'unpause', 'web-1');
    await world.judge.waitForTick('web-1', 3, 30_000, { host: 'host1' });
    await world.judge.assertUnbroken('web-1');
  });

  test('stop asks the guest; start boots it again', async () => {
    await world.ok('instance', 'stop', 'web-1');
    expect(await state('web-1')).toBe('stopped/shutoff');
    expect(await powerOf('web-1', 'host1')).toBe('shut off');
    expect(await world.ok('instance', 'log', 'web-1')).toMatch(/POWEROFF|power/i);
    const before = (await world.judge.ticks('web-1')).at(-1);
    await world.ok('instance', 'start', 'web-1');
    await world.judge.waitForTick('web-1', 0, 60_000, { notBoot: before?.boot ?? '' });
    expect(await state('web-1')).toBe('active/running');
  });

  test('reboot, soft and hard, is another boot; a repeated request reboots once', async () => {
    for (const how of [[], ['--hard']]) {
      const before = (await world.judge.ticks('web-1')).at(-1);
      const key = `reboot-${how.length}`;
      await world.ok('instance', 'reboot', 'web-1', ...how, '--idempotency-key', key);
      const after = await world.judge.waitForTick('web-1', 0, 60_000, { notBoot: before?.boot ?? '' });
      await world.ok('instance', 'reboot', 'web-1', ...how, '--idempotency-key', key);
      const later = await world.judge.waitForTick('web-1', after.n, 30_000);
      expect(later.boot).toBe(after.boot);
    }
  });

  test('what the state does not allow is refused with exit code 3 and says what would', async () => {
    const said = await world.drover('instance', 'start', 'web-1');
    expect(said.code).toBe(3);
    expect(said.err).toMatch(/stopped; web-1 is active/);
    expect((await world.drover('instance', 'unpause', 'web-1')).code).toBe(3);
  });

  test('full hosts: every one is named with its reason, and nothing is left behind', async () => {
    await world.ok('flavor', 'create', 'huge', '--vcpus', '1', '--memory-mib', '9000000');
    const said = await world.drover('instance', 'launch', 'fat', '--flavor', 'huge', '--image', image);
    expect(said.code).toBe(3);
    expect(said.err).toMatch(/host1.*MiB/s);
    expect(said.err).toMatch(/host2.*MiB/s);
    await world.drover('instance', 'terminate', 'fat', '--yes');
    await assertAllocations(world);
  });

  test('an image that is not what it says is refused before any guest exists', async () => {
    await world.lab.exec('host1', ['sh', '-c', 'echo no image > /srv/shared/bad.qcow2']);
    const said = await world.drover(
      'instance',
      'launch',
      'bad',
      '--flavor',
      'tiny',
      '--image',
      '/srv/shared/bad.qcow2',
    );
    expect(said.code).not.toBe(0);
    const shown = await world.instance('bad');
    expect(shown).toMatchObject({ state: 'error', host: null, needsRepair: null });
    expect(shown.fault).toMatch(/host1.*host2|host2.*host1/s);
    for (const host of ['host1', 'host2']) {
      expect((await world.judge.domains(host)).map((one) => one.name)).not.toContain('bad');
      expect(
        (await world.judge.diskFiles(host)).filter((path) => path.startsWith('/var/lib/libvirt/images'))
          .length,
      ).toBe(host === 'host1' ? 1 : 0);
    }
    await world.ok('instance', 'terminate', 'bad', '--yes');
  });

  test('a hypervisor out of reach: refused within its time, and known again when it is back', async () => {
    await world.lab.partition('host1');
    await until('host1 is told as unknown', 90_000, async () =>
      (await world.hosts()).some((host) => host.name === 'host1' && host.state === 'unknown'),
    );
    const said = await world.drover('instance', 'stop', 'web-1');
    expect(said.code).toBe(3);
    expect(said.err).toMatch(/host1/);
    await world.lab.heal('host1');
    await until('host1 is up', 90_000, async () =>
      (await world.hosts()).every((host) => host.state === 'up'),
    );
    await world.judge.waitForTick('web-1', 0, 30_000);
  });

  test('terminate removes guest, disk and allocations, and asks first', async () => {
    expect((await world.drover('instance', 'terminate', 'web-1')).code).toBe(2);
    await world.ok('instance', 'terminate', 'web-1', '--yes');
    expect(await world.judge.copies('web-1')).toEqual([]);
    expect(await world.judge.definitions('web-1')).toEqual([]);
    for (const host of ['host1', 'host2']) {
      expect(
        (await world.judge.diskFiles(host)).filter((path) => path.startsWith('/var/lib/libvirt/images')),
      ).toEqual([]);
    }
    await assertAllocations(world);
    expect((await world.drover('instance', 'show', 'web-1')).code).toBe(2);
  });
});
