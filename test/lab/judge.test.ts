/**
 * The judge judged: raw virsh does what drover's operations do, and what they must never do, and the judge has
 * to tell them apart. Runs in the lab that DROVER_LAB_DIR and DROVER_LAB_NET name; leaves it as it found it.
 */
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLab } from '../../lab/lab.js';
import { openJudge } from './judge.js';

const lab = openLab();
const judge = openJudge(lab);
const moving = 'judge-moving';
const staying = 'judge-staying';
let wasUp = false;

beforeAll(async () => {
  wasUp = (await lab.status()).some((host) => host.up);
  await lab.up(2);
  for (const name of [moving, staying]) await lab.removeGuest(name);
  await lab.createGuest({ name: moving, host: 'host1', dirty: 4 });
  await lab.createGuest({ name: staying, host: 'host2', disk: 'local' });
}, 300_000);

afterAll(async () => {
  for (const name of [moving, staying]) await lab.removeGuest(name);
  if (!wasUp) await lab.down();
}, 120_000);

async function migrate(from: string, to: string) {
  const [source, target] = await Promise.all([lab.uri(from), lab.uri(to)]);
  const how = ['--live', '--p2p', '--persistent', '--undefinesource'];
  await execa('virsh', ['-q', '-c', source, 'migrate', ...how, moving, target], { timeout: 60_000 });
}

describe('the judge', () => {
  it('finds one copy, its definition, its disk and its counter', async () => {
    const tick = await judge.waitForTick(moving, 1, 30_000);
    expect(tick).toMatchObject({ host: 'host1', disk: 'ok' });
    expect(await judge.copies(moving)).toEqual([
      { host: 'host1', pid: expect.any(Number), state: 'running' },
    ]);
    expect(await judge.definitions(moving)).toEqual(['host1']);
    expect(await judge.domains('host1')).toContainEqual({ name: moving, state: 'running' });
    expect(await judge.disksOf(moving, 'host1')).toEqual([`/srv/shared/${moving}.qcow2`]);
    expect(await judge.diskRecord('host1', `/srv/shared/${moving}.qcow2`)).toMatch(
      new RegExp(`^n=\\d+ boot=${tick.boot} name=${moving}$`),
    );
    expect(await judge.diskFiles('host1')).not.toContain(`/var/lib/libvirt/images/${staying}.qcow2`);
    expect(await judge.diskFiles('host2')).toContain(`/var/lib/libvirt/images/${staying}.qcow2`);
    expect(await judge.copies('judge')).toEqual([]);
  }, 60_000);

  it('sees a live migration as one unbroken life', async () => {
    for (const [from, to] of [
      ['host1', 'host2'],
      ['host2', 'host1'],
      ['host1', 'host2'],
    ] as const) {
      await migrate(from, to);
      const { n } = await judge.waitForTick(moving, 0, 10_000, { host: to });
      await judge.waitForTick(moving, n + 1, 10_000, { host: to });
    }
    const { first, hosts } = await judge.assertUnbroken(moving);
    expect(first.n).toBe(1);
    expect(hosts).toEqual(['host1', 'host2', 'host1', 'host2']);
    expect(await judge.copies(moving)).toMatchObject([{ host: 'host2', state: 'running' }]);
    expect(await judge.definitions(moving)).toEqual(['host2']);
  }, 90_000);

  it('sees a stopped and started guest as two lives', async () => {
    const before = await judge.waitForTick(staying, 1, 30_000);
    const uri = await lab.uri('host2');
    await execa('virsh', ['-q', '-c', uri, 'destroy', staying]);
    expect(await judge.copies(staying)).toEqual([]);
    await execa('virsh', ['-q', '-c', uri, 'start', staying]);
    const after = await judge.waitForTick(staying, 1, 30_000, { notBoot: before.boot });
    await expect(judge.assertUnbroken(staying)).rejects.toThrow(/it booted 2 times/);
    await judge.assertUnbroken(staying, { sameBoot: false });
    expect((await judge.assertUnbroken(staying, { from: after })).first).toEqual(after);
  }, 90_000);

  it('sees memory that went back in time', async () => {
    const file = `/var/lib/libvirt/qemu/save/${staying}.judge`;
    const before = await judge.waitForTick(staying, 3, 30_000);
    await lab.exec('host2', ['virsh', '-q', 'save', staying, file]);
    expect(await judge.copies(staying)).toEqual([]);
    await lab.exec('host2', ['virsh', '-q', 'restore', file]);
    await judge.waitForTick(staying, before.n + 2, 30_000);
    await judge.assertUnbroken(staying, { from: before });
    await lab.exec('host2', ['virsh', '-q', 'destroy', staying]);
    await lab.exec('host2', ['virsh', '-q', 'restore', file]);
    await lab.exec('host2', ['rm', file]);
    await expect
      .poll(() => judge.assertUnbroken(staying, { from: before }).then(() => '', String), { timeout: 20_000 })
      .toMatch(/memory restored/);
  }, 90_000);

  it('sees a crash: no copies, but the definition is still on the host', async () => {
    await lab.crash('host2');
    expect(await judge.copies(moving)).toEqual([]);
    expect(await judge.definitions(moving)).toEqual(['host2']);
    const before = (await judge.ticks(moving)).at(-1);
    await lab.boot('host2');
    await lab.exec('host2', ['virsh', '-q', 'start', moving]);
    const after = await judge.waitForTick(moving, 0, 30_000, { notBoot: before?.boot ?? '' });
    expect(after.boot).not.toBe(before?.boot);
  }, 90_000);
});
