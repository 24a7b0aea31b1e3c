import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assertAllocations, assertOneGuest, openWorld, until, type World } from './world.js';

interface RunShown {
  id: string;
  state: string;
  steps: { id: string; state: string; done: number; failed: number; refused: number; total: number }[];
}

describe('draining real hosts', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(3);
    await world.guests(
      { name: 'plain', host: 'host1', disk: 'shared' },
      { name: 'local', host: 'host1', disk: 'local' },
      { name: 'dirty', host: 'host1', disk: 'shared', dirty: 16 },
      { name: 'locked', host: 'host1', disk: 'shared' },
      { name: 'busy', host: 'host1', disk: 'shared' },
      { name: 'there', host: 'host2', disk: 'shared' },
    );
  });
  afterAll(() => world?.close());

  const all = ['plain', 'local', 'dirty', 'locked', 'busy', 'there'];
  const on = async (host: string) =>
    (await world.judge.domains(host))
      .filter((one) => one.state === 'running')
      .map((one) => one.name)
      .toSorted();

  test('6 guests: one writes its memory, one is locked, one is busy; what remains is named, with the reason', async () => {
    await world.ok('instance', 'lock', 'locked', '--reason', 'ledger is being closed');
    const moving = world.background(
      'instance',
      'live-migrate',
      'busy',
      '--host',
      'host3',
      '--bandwidth',
      '12',
    );
    await world.migrating('busy', 'host1');
    const drain = await world.drover('host', 'drain', 'host1', '--max-wait', '3m');
    expect((await moving).exitCode).toBe(0);

    expect(drain.code).toBe(1);
    expect(drain.out + drain.err).toMatch(/locked.*ledger is being closed/);
    expect(await on('host1')).toEqual(['locked']);
    for (const name of all) {
      await world.judge.assertUnbroken(name);
      const [copy, second] = await world.judge.copies(name);
      expect(second).toBeUndefined();
      await assertOneGuest(world, name, copy?.host ?? '');
    }
    // The busy one was moved once: where its own operation took it.
    expect((await world.judge.copies('busy'))[0]?.host).toBe('host3');
    const [run] = await world.json<RunShown[]>('run', 'list');
    const shown = await world.json<RunShown>('run', 'show', run?.id ?? '');
    expect(shown.state).toBe('failed');
    expect(shown.steps.find((step) => step.id === 'move')).toMatchObject({
      done: 4,
      refused: 1,
      failed: 0,
      total: 5,
    });
    const host = (await world.hosts()).find((one) => one.name === 'host1');
    expect(host).toMatchObject({ enabled: false, instances: 1 });
  });

  test('once unlocked, the second drain empties the host', async () => {
    await world.ok('instance', 'unlock', 'locked');
    await world.ok('host', 'drain', 'host1');
    expect(await on('host1')).toEqual([]);
    await world.judge.assertUnbroken('locked');
    await assertAllocations(world);
    await world.ok('host', 'enable', 'host1');
    // From here on the links are slow, and a guest that writes faster than its link never arrives.
    const [dirty] = await world.judge.copies('dirty');
    await world.lab.tellGuest('dirty', dirty?.host ?? '', 'dirty 0');
  });

  test('two drains that want the same slots: never more migrations than slots, and both end', async () => {
    let most = 0;
    const ended = new AbortController();
    const watch = (async () => {
      while (!ended.signal.aborted) {
        let incoming = 0;
        for (const host of ['host2', 'host3']) {
          const uri = await world.lab.uri(host);
          for (const { name } of await world.judge.domains(host).catch(() => [])) {
            const { stdout } = await execa('virsh', ['-c', uri, 'domjobinfo', name], { reject: false });
            if (/Outgoing migration/.test(stdout)) incoming += 1;
          }
        }
        most = Math.max(most, incoming);
      }
    })();
    for (const host of ['host2', 'host3']) await world.lab.link(host, '150mbit');
    const drains = ['host2', 'host3'].map((host) =>
      world.background('host', 'drain', host, '--parallel', '4', '--max-wait', '3m'),
    );
    const codes = await Promise.all(drains.map(async (drain) => (await drain).exitCode));
    ended.abort();
    await watch;
    for (const host of ['host2', 'host3']) await world.lab.link(host, null);
    expect(codes).toEqual([0, 0]);
    expect(most).toBeGreaterThan(0);
    // Both want into host1, which has two slots, as every host by default.
    expect(most).toBeLessThanOrEqual(2);
    expect(await on('host1')).toEqual(all.toSorted());
    for (const name of all) await world.judge.assertUnbroken(name);
    await assertAllocations(world);
    for (const host of ['host2', 'host3']) await world.ok('host', 'enable', host);
  });

  test('a cancelled drain leaves its guests running and enables the host again', async () => {
    await world.lab.link('host1', '5mbit');
    const drain = world.background('host', 'drain', 'host1');
    await until('the drain moves something', 60_000, async () =>
      (await world.hosts()).some((host) => host.slotsUsed > 0),
    );
    const [run] = await world.json<RunShown[]>('run', 'list');
    await world.ok('run', 'cancel', run?.id ?? '');
    expect((await drain).exitCode).toBe(5);
    await world.lab.link('host1', null);
    expect(await on('host1')).toEqual(all.toSorted());
    for (const name of all) {
      await world.judge.assertUnbroken(name);
      await assertOneGuest(world, name, 'host1');
    }
    const host = (await world.hosts()).find((one) => one.name === 'host1');
    expect(host).toMatchObject({ enabled: true });
  });

  test('SIGKILL of the worker in the middle of a drain: the run goes on with the next worker', async () => {
    await world.lab.link('host1', '100mbit');
    const drain = world.background('host', 'drain', 'host1');
    await until('the drain moves something', 60_000, async () =>
      (await world.hosts()).some((host) => host.slotsUsed > 0),
    );
    await world.killWorker();
    world.startWorker();
    await world.lab.link('host1', null);
    expect((await drain).exitCode).toBe(0);
    expect(await on('host1')).toEqual([]);
    for (const name of all) await world.judge.assertUnbroken(name);
    await assertAllocations(world);
  });
});
