import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assertAllocations, assertOneGuest, openWorld, until, type World } from './world.js';

interface HostShown {
  name: string;
  state: string;
  enabled: boolean;
  maintenance: { until: string; by: string; reason: string; run: string | null } | null;
  instances: number;
}
interface Done {
  operation: string;
  state: string;
  result: { before: string; boot: string } | null;
  error: { message: string } | null;
}

describe('maintenance of real hosts', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(2);
    await world.guests(
      { name: 'one', host: 'host1', disk: 'shared' },
      { name: 'two', host: 'host2', disk: 'local' },
    );
  });
  afterAll(() => world?.close());

  const hosts = ['host1', 'host2'] as const;
  const show = (host: string) => world.json<HostShown>('host', 'show', host);
  const bootOf = async (host: string) =>
    (await world.lab.exec(host, ['cat', '/proc/sys/kernel/random/boot_id'])).trim();
  const whereIs = async (name: string) => (await world.judge.copies(name))[0]?.host ?? 'nowhere';

  test('rolling-reboot: both hosts have another boot, and every guest has counted on without a gap', async () => {
    const before = await Promise.all(hosts.map(bootOf));
    const pids = (await world.lab.status()).map(({ pid }) => pid);
    const run = world.background('runbook', 'run', 'rolling-reboot', '--input', 'reason=new kernel');
    await until(
      'host1 is told to be in maintenance',
      60_000,
      async () => (await show('host1')).maintenance !== null,
    );
    expect(await show('host1')).toMatchObject({ maintenance: { by: 'tester', reason: 'new kernel' } });
    const ended = await run;
    expect(ended.exitCode, `${ended.stdout}\n${ended.stderr}`).toBe(0);

    for (const [index, host] of hosts.entries()) {
      const boot = await bootOf(host);
      expect(boot).not.toBe(before[index]);
      expect(await show(host)).toMatchObject({ state: 'up', enabled: true, maintenance: null });
      const done = await world.json<Done[]>('host', 'history', host);
      expect(done.find(({ operation }) => operation === 'reboot')).toMatchObject({
        state: 'succeeded',
        result: { before: before[index], boot },
      });
      expect(done.filter(({ operation }) => operation === 'reboot')).toHaveLength(1);
    }
    // Really off and on again: the machines are other processes by now.
    expect((await world.lab.status()).filter(({ pid }, index) => pid === pids[index])).toEqual([]);
    for (const name of ['one', 'two']) {
      await world.judge.assertUnbroken(name);
      await assertOneGuest(world, name, await whereIs(name));
    }
    await assertAllocations(world);
  });

  test('host reboot --move-back: the guest is where it was, and was never away', async () => {
    const host = await whereIs('one');
    const before = await bootOf(host);
    const there = (await world.judge.domains(host)).map(({ name }) => name).toSorted();
    await world.ok('host', 'reboot', host, '--move-back');
    expect(await bootOf(host)).not.toBe(before);
    expect((await world.judge.domains(host)).map(({ name }) => name).toSorted()).toEqual(there);
    for (const name of there) {
      await world.judge.assertUnbroken(name);
      await assertOneGuest(world, name, host);
    }
  });

  test('a host on which a guest must stay is not rebooted; it is told in what state it is left', async () => {
    const host = await whereIs('one');
    const before = await bootOf(host);
    await world.ok('instance', 'lock', 'one', '--reason', 'ledger is being closed');
    const said = await world.drover('host', 'reboot', host);
    expect(said.code).toBe(1);
    expect(said.out + said.err).toContain('ledger is being closed');
    expect(await bootOf(host)).toBe(before);
    expect(await show(host)).toMatchObject({ enabled: false, maintenance: { reason: 'reboot' } });
    const [run] = await world.json<{ id: string }[]>('run', 'list');
    const shown = await world.json<{ outputs: { left: string[] } }>('run', 'show', run?.id ?? '');
    expect(shown.outputs.left).toEqual([
      expect.stringMatching(
        new RegExp(`^${host} is up, disabled, in maintenance until .*, with 1 instances$`),
      ),
    ]);
    await world.ok('instance', 'unlock', 'one');
    await world.ok('host', 'undrain', host);
    expect(await show(host)).toMatchObject({ enabled: true, maintenance: null });
    await assertAllocations(world);
  });

  test('a reboot that is cancelled while the host is away: told that it goes on, and the host is opened again', async () => {
    const host = await whereIs('one');
    const before = await bootOf(host);
    const reboot = world.background('host', 'reboot', host);
    await until(`${host} is in another boot`, 60_000, async () =>
      bootOf(host).then(
        (boot) => boot !== before,
        () => false,
      ),
    );
    const [run] = await world.json<{ id: string; runbook: string }[]>('run', 'list');
    await world.ok('run', 'cancel', run?.id ?? '');
    expect((await reboot).exitCode).toBe(5);
    const done = await world.json<Done[]>('host', 'history', host);
    const last = done.find(({ operation }) => operation === 'reboot');
    expect(last).toMatchObject({ state: 'cancelled' });
    expect(last?.error?.message).toContain('it was told to reboot and may still do so');
    expect(await show(host)).toMatchObject({ enabled: true, maintenance: null });
    for (const name of ['one', 'two']) await world.judge.assertUnbroken(name);
  });

  test('a command that does not reboot is told, and nothing is changed', async () => {
    const host = await whereIs('one');
    const other = host === 'host1' ? 'host2' : 'host1';
    for (const { name } of await world.judge.domains(other)) {
      await world.ok('instance', 'live-migrate', name, '--host', host);
    }
    const before = await bootOf(other);
    // The worker as it would be on a host where it may not reboot.
    await world.lab.worker(other, 'stop');
    const { stdout } = await execa('grep', [
      '-o',
      'kill.* 1',
      `${world.lab.hostRoot(other)}/boot.d/worker.sh`,
    ]);
    expect(stdout).toContain('TERM');
    await execa('sed', ['-i', 's/kill.* 1/false/', `${world.lab.hostRoot(other)}/boot.d/worker.sh`]);
    await world.lab.worker(other, 'start');
    const said = await world.drover('host', 'reboot', other);
    expect(said.code).toBe(1);
    const [last] = await world.json<Done[]>('host', 'history', other);
    expect(last).toMatchObject({ operation: 'reboot', state: 'failed' });
    expect(last?.error?.message).toContain('the host was not rebooted: `false`');
    expect(await bootOf(other)).toBe(before);
  });
});
