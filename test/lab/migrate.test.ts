import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assertOneGuest, openWorld, until, type World } from './world.js';

/** Slow enough that a guest of 96 MiB is still under way when a test does something to it. */
const slow = '60mbit';

describe('live migration on real hosts', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(2);
    await world.guests(
      { name: 'shared-1', host: 'host1', disk: 'shared' },
      { name: 'local-1', host: 'host1', disk: 'local' },
    );
  });
  afterAll(() => world?.close());

  const hostOf = async (name: string) => (await world.instance(name)).host ?? '';
  const other = (host: string) => (host === 'host1' ? 'host2' : 'host1');

  /** Begins a slow migration from the guest's host to another and waits until qemu copies. */
  async function begin(name: string, rate = slow) {
    const source = await hostOf(name);
    const target = other(source);
    // The janitor may have asked a host just while a test had killed its libvirtd.
    await until('all hosts are up', 60_000, async () =>
      (await world.hosts()).every((host) => host.state === 'up'),
    );
    await world.lab.link(source, rate);
    const command = world.background('instance', 'live-migrate', name, '--host', target);
    await world.migrating(name, source);
    return { source, target, command };
  }

  async function settled(name: string) {
    await until(`${name} has no task`, 120_000, async () => {
      const { task, needsRepair } = await world.instance(name);
      return task === null && needsRepair === null;
    });
  }

  test('on shared storage: the counter never stops', async () => {
    const before = await world.judge.waitForTick('shared-1', 2, 30_000);
    await world.ok('instance', 'live-migrate', 'shared-1', '--host', 'host2');
    const after = await world.judge.waitForTick('shared-1', before.n + 3, 30_000, { host: 'host2' });
    const run = await world.judge.assertUnbroken('shared-1');
    expect(after.boot).toBe(before.boot);
    expect(run.hosts).toEqual(['host1', 'host2']);
    await assertOneGuest(world, 'shared-1', 'host2');
    const [last] = await world.history('shared-1');
    expect(last).toMatchObject({
      operation: 'live-migrate',
      state: 'succeeded',
      result: { storage: 'shared', from: 'host1', to: 'host2' },
    });
    expect((last as { result?: { downtimeMs?: number } }).result?.downtimeMs).toBeGreaterThan(0);
  });

  test('on local storage: its disk moves along and leaves nothing behind', async () => {
    const [disk] = await world.judge.disksOf('local-1', 'host1');
    const before = await world.judge.waitForTick('local-1', 2, 30_000);
    await world.ok('instance', 'live-migrate', 'local-1', '--host', 'host2');
    const after = await world.judge.waitForTick('local-1', before.n, 30_000, { host: 'host2' });
    expect(after.boot).toBe(before.boot);
    await world.judge.assertUnbroken('local-1');
    await assertOneGuest(world, 'local-1', 'host2');
    expect(await world.judge.diskFiles('host1')).not.toContain(disk);
    expect(await world.judge.diskFiles('host2')).toContain(disk);
    expect(await world.judge.diskRecord('host2', disk ?? '')).toMatch(/name=local-1/);
    const [last] = await world.history('local-1');
    expect(last).toMatchObject({ result: { storage: 'block' } });
    // And back, over the same paths.
    await world.ok('instance', 'live-migrate', 'local-1', '--host', 'host1');
    await assertOneGuest(world, 'local-1', 'host1');
    await world.judge.assertUnbroken('local-1');
  });

  test('Reset from outside: the new run follows the same migration', async () => {
    const { source, target } = await begin('shared-1');
    const client = await world.client();
    const { id } = await world.instance('shared-1');
    const execution = { workflowId: `lab/instance/${id}` };
    const history = await client.workflow.getHandle(execution.workflowId).fetchHistory();
    const done = (history.events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes);
    await client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: execution,
      reason: 'test',
      workflowTaskFinishEventId: done.at(-1)?.eventId ?? null,
      requestId: 'reset-in-the-middle',
    });
    await sleep(1000);
    await world.lab.link(source, null);
    await settled('shared-1');
    await assertOneGuest(world, 'shared-1', target);
    await world.judge.assertUnbroken('shared-1');
    expect((await world.history('shared-1'))[0]).toMatchObject({
      operation: 'live-migrate',
      state: 'succeeded',
    });
  });

  test('too slow a link, then cancelled: the guest never left, the target is clean', async () => {
    const { source, target, command } = await begin('shared-1', '4mbit');
    await world.ok('instance', 'cancel', 'shared-1');
    expect((await command).exitCode).toBe(5);
    await world.lab.link(source, null);
    await settled('shared-1');
    await assertOneGuest(world, 'shared-1', source);
    expect((await world.judge.domains(target)).map((one) => one.name)).not.toContain('shared-1');
    await world.judge.assertUnbroken('shared-1');
    expect((await world.history('shared-1'))[0]).toMatchObject({
      operation: 'live-migrate',
      state: 'cancelled',
    });
  });
});
