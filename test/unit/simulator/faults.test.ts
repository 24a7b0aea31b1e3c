/** What the lab saw of libvirt when daemons, links and hosts die in the middle of a migration. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { activeMigration } from '../../../activities/simulator/migration-rows.js';
import { openWorld, type SimulatedWorld } from './world.js';

const name = 'faulty';
let world: SimulatedWorld;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

/** A migration of 1 GiB with 64 MiB/s, seen to copy: it takes more than 16 s. */
async function underway(changes = {}) {
  const id = await world.guest(name);
  const call = world.call(id);
  const input = world.move(id, name, { bandwidthMiBs: 64, ...changes });
  const running = world.activities.migrateGuest(input, call);
  running.catch(() => undefined);
  while (!call.beats.some((beat) => beat['phase'] === 'copying' && Number(beat['percent']) > 5))
    await world.clock.pass(100);
  return { id, input, running, call };
}
const undo = (input: Parameters<SimulatedWorld['activities']['undoMigrate']>[0]) =>
  world.activities.undoMigrate(input, world.call(input.instance));

describe('a migration', () => {
  it('takes as long as its size and its link say, round by round', async () => {
    const { id, running } = await underway();
    const answer = await running;
    // 1 GiB at 64 MiB/s is 16 s; then 20/64 of that, and so on, until 300 ms are enough.
    expect(answer.totalMs).toBeGreaterThan(20_000);
    expect(answer.totalMs).toBeLessThan(25_000);
    expect(answer.downtimeMs).toBeLessThanOrEqual(330);
    expect(await world.copies(id)).toEqual(['host2: running']);
  });

  it('never ends while the guest writes faster than the link carries, and does when it is paused', async () => {
    const { id, running, call } = await underway({ bandwidthMiBs: 16 });
    await world.clock.pass(400_000);
    expect(call.beats.at(-1)).toMatchObject({ phase: 'copying' });
    expect(Number(call.beats.at(-1)?.['iteration'])).toBeGreaterThan(3);
    await world.hypervisor.pause(world.host('host1'), id);
    await expect(running).resolves.toMatchObject({ totalMs: expect.any(Number) });
    expect(await world.copies(id)).toEqual(['host2: running']);
  });

  it('is refused a second time while it runs', async () => {
    const { id, running } = await underway();
    const move = {
      id,
      name,
      source: world.host('host1'),
      target: world.host('host3'),
      copy: [],
      bandwidthMiBs: null,
    };
    const { ended } = await world.hypervisor.startMigration(move);
    expect(await ended).toContain('another migration job is already running');
    await running;
  });

  it('is aborted when somebody cancels, and goes on when its worker stops', async () => {
    const first = await underway();
    first.call.stop(false);
    await expect(first.running).rejects.toMatchObject({ code: 'Internal' });
    await expect(
      world.activities.migrateGuest(first.input, { ...world.call(first.id), owner: first.call.owner }),
    ).resolves.toMatchObject({ totalMs: expect.any(Number) });
    expect(await world.copies(first.id)).toEqual(['host2: running']);
  });

  it('leaves nothing behind when it is cancelled', async () => {
    const { id, input, running, call } = await underway();
    call.stop(true);
    await expect(running).rejects.toMatchObject({ code: 'Cancelled' });
    await expect(undo(input)).resolves.toEqual({ undone: true });
    expect(await world.copies(id)).toEqual(['host1: running']);
  });

  it('copies a local disk, which the target needs at the same size', async () => {
    const id = await world.guest(name, { local: true });
    const move = { id, name, source: world.host('host1'), target: world.host('host2'), bandwidthMiBs: null };
    const end = async (copy: string[]) => (await world.hypervisor.startMigration({ ...move, copy })).ended;
    const path = '/var/lib/libvirt/images/faulty.qcow2';
    expect(await end([])).toContain('Unsafe migration');
    expect(await end(['vda'])).toContain('Storage pool not found');
    await world.putDisk('host2', path, 4096);
    expect(await end(['vda'])).toContain('different sizes');
    await world.putDisk('host2', path);
    expect(await end(['vda'])).toBeNull();
    expect(await world.copies(id)).toEqual(['host2: running']);
  });

  it('of a guest with snapshots, or in a backup, is refused in the words of libvirt', async () => {
    const id = await world.guest(name);
    const move = {
      id,
      name,
      source: world.host('host1'),
      target: world.host('host2'),
      copy: [],
      bandwidthMiBs: null,
    };
    await world.sql((tx) => tx.run('update guests set snapshots = 1 where id = ?', id));
    expect(await (await world.hypervisor.startMigration(move)).ended).toContain('with 1 snapshots');
    await world.sql((tx) => tx.run(`update guests set snapshots = 0, other_job = 'backup' where id = ?`, id));
    await expect(world.activities.migrateGuest(world.move(id, name), world.call(id))).rejects.toMatchObject({
      code: 'WrongState',
      message: expect.stringContaining('backup'),
    });
    await world.hypervisor.abortJob(world.host('host1'), id);
    await world.activities.migrateGuest(world.move(id, name), world.call(id));
    expect(await world.copies(id)).toEqual(['host2: running']);
  });
});

describe('in the middle of a migration', () => {
  it('the target’s process is killed', async () => {
    const { id, input, running } = await underway();
    await world.hypervisor.destroy(world.host('host2'), id);
    await expect(running).rejects.toMatchObject({ code: 'MigrationFailed' });
    await expect(undo(input)).resolves.toEqual({ undone: true });
    expect(await world.copies(id)).toEqual(['host1: running']);
  });

  it.each(['host1', 'host2'])('libvirtd of %s is killed and comes back', async (host) => {
    const { id, input, running } = await underway();
    await world.fault({ do: 'libvirtd-kill', hosts: [host] });
    expect(await world.copies(id)).toContain('host1: running');
    await world.clock.pass(2_000);
    await world.fault({ do: 'libvirtd-start', hosts: [host] });
    await expect(running).rejects.toMatchObject({ code: 'MigrationFailed' });
    await expect(undo(input)).resolves.toEqual({ undone: true });
    expect(await world.copies(id)).toEqual(['host1: running']);
  });

  it('the target loses its power', async () => {
    const { id, input, running } = await underway();
    const begun = world.clock.now();
    await world.fault({ do: 'crash', hosts: ['host2'] });
    await expect(running).rejects.toMatchObject({ code: 'MigrationFailed' });
    expect(world.clock.now() - begun).toBeLessThan(40_000);
    await expect(undo(input)).rejects.toMatchObject({ code: 'HypervisorUnreachable' });
    await world.fault({ do: 'restore', hosts: ['host2'] });
    await world.clock.pass(10_000);
    await expect(undo(input)).resolves.toEqual({ undone: true });
    expect(await world.copies(id)).toEqual(['host1: running']);
  });

  it('the source loses its power: the guest is off there, and what came in goes', async () => {
    const { id, input, running } = await underway();
    await world.fault({ do: 'crash', hosts: ['host1'] });
    await expect(running).rejects.toMatchObject({ code: 'HypervisorUnreachable' });
    await world.fault({ do: 'restore', hosts: ['host1'] });
    await world.clock.pass(10_000);
    expect(await world.copies(id)).toEqual(['host1: shutoff']);
    await expect(undo(input)).resolves.toEqual({ undone: true });
  });

  it('the target is cut off for a while: its half stays until then', async () => {
    const { id, input, running } = await underway();
    await world.fault({ do: 'partition', hosts: ['host2'] });
    await world.clock.pass(15_000);
    expect(await world.copies(id)).toEqual(['host1: running', 'host2: migrating']);
    expect(await world.hypervisor.job(world.host('host1'), id)).toBeNull();
    await world.fault({ do: 'restore', hosts: ['host2'] });
    await expect(running).rejects.toMatchObject({ code: 'MigrationFailed' });
    await expect(undo(input)).resolves.toEqual({ undone: true });
    expect(await world.copies(id)).toEqual(['host1: running']);
  });

  it('a short cut between the two hosts only delays it', async () => {
    const { id, running } = await underway();
    await world.fault({ do: 'partition', hosts: ['host1'], from: ['host2'] });
    await world.clock.pass(5_000);
    expect(await world.hypervisor.job(world.host('host1'), id)).toMatchObject({ memoryBytesPerSecond: 0 });
    await world.fault({ do: 'restore', hosts: ['host1'] });
    await expect(running).resolves.toMatchObject({ totalMs: expect.any(Number) });
  });

  it('the source’s libvirtd dies at the switch-over: the guest is never on both sides', async () => {
    for (const early of [true, false]) {
      const guest = early ? 'early' : 'late';
      const id = await world.guest(guest);
      const sides = { source: world.host('host1'), target: world.host('host2') };
      const move = { id, name: guest, ...sides, copy: [], bandwidthMiBs: 64 };
      void (await world.hypervisor.startMigration(move)).ended;
      while (!(await world.copies(id)).includes('host1: migrating')) await world.clock.pass(5);
      const downtime = await world.sql((tx) => activeMigration(tx, id)?.downtime_ms ?? 0);
      if (!early) await world.clock.pass(downtime - 20);
      await world.fault({ do: 'libvirtd-kill', hosts: ['host1'] });
      await world.clock.pass(2_000);
      await world.fault({ do: 'libvirtd-start', hosts: ['host1'] });
      const left = early ? ['host1: migrating'] : ['host1: shutoff', 'host2: running'];
      expect(await world.copies(id)).toEqual(left);
      const answer = await undo(world.move(id, guest));
      expect(answer.undone).toBe(early);
      expect(await world.copies(id)).toEqual([early ? 'host1: running' : 'host2: running']);
    }
  });
});

describe('hosts and calls', () => {
  it('a power loss ends the guests, and after the boot they are off with their definitions', async () => {
    const id = await world.guest(name);
    await world.fault({ do: 'rack-loss', rack: 'rack-1' });
    await expect(world.hypervisor.facts(world.host('host2'))).rejects.toMatchObject({
      code: 'HypervisorUnreachable',
    });
    await expect(world.hypervisor.facts(world.host('host3'))).resolves.toMatchObject({ vcpus: 8 });
    await world.fault({ do: 'restore', hosts: ['host1', 'host2'] });
    await expect(world.hypervisor.look(world.host('host1'), id)).rejects.toMatchObject({
      code: 'HypervisorUnreachable',
    });
    await world.clock.pass(6_000);
    expect(await world.hypervisor.look(world.host('host1'), id)).toMatchObject({
      power: 'shutoff',
      persistent: true,
    });
  });

  it('a host that hangs lets each call wait for its limit, and its guests run on', async () => {
    const id = await world.guest(name);
    await world.fault({ do: 'hang', hosts: ['host1'] });
    const begun = world.clock.now();
    await expect(world.hypervisor.facts(world.host('host1'))).rejects.toMatchObject({
      code: 'HypervisorUnreachable',
      message: expect.stringContaining('within 5 s'),
    });
    expect(world.clock.now() - begun).toBe(5_000);
    expect(await world.copies(id)).toEqual(['host1: running']);
  });

  it('a slow host answers late, and too late for its limit not at all', async () => {
    await world.fault({ do: 'slow', hosts: ['host1'], 'call-ms': 2_000 });
    const begun = world.clock.now();
    await world.hypervisor.facts(world.host('host1'));
    expect(world.clock.now() - begun).toBe(2_000);
    await world.fault({ do: 'slow', hosts: ['host1'], 'call-ms': 6_000 });
    await expect(world.hypervisor.facts(world.host('host1'))).rejects.toMatchObject({
      code: 'HypervisorUnreachable',
    });
  });

  it('the n-th call fails, or is done and its answer lost', async () => {
    const id = await world.guest(name);
    const host = world.host('host1');
    await world.fault({ do: 'fail', call: 'pause', nth: 2, times: 1, message: 'no' });
    await world.hypervisor.pause(host, id);
    await expect(world.hypervisor.unpause(host, id)).resolves.toBeUndefined();
    await expect(world.hypervisor.pause(host, id)).rejects.toMatchObject({ code: 'HypervisorError' });
    expect(await world.copies(id)).toEqual(['host1: running']);
    await world.fault({ do: 'lose-answer', call: 'pause', host: 'host1', nth: 1, times: 1 });
    await expect(world.hypervisor.pause(host, id)).rejects.toMatchObject({ code: 'HypervisorUnreachable' });
    expect(await world.copies(id)).toEqual(['host1: paused']);
    await world.hypervisor.pause(host, id);
  });

  it('a guest hears the button when it has booted, goes down in its time, and may ignore it', async () => {
    const id = await world.guest(name);
    const stop = (graceSeconds: number) =>
      world.activities.stopGuest(
        { host: world.host('host1'), instance: id, name, graceSeconds },
        world.call(id),
      );
    await expect(stop(60)).resolves.toEqual({ forced: false });
    await world.hypervisor.start(world.host('host1'), id);
    await world.sql((tx) => tx.run('update guests set obeys = 0 where id = ?', id));
    await expect(stop(20)).resolves.toEqual({ forced: true });
  });
});
