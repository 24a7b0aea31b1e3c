/**
 * Real hosts die, hang, are cut off and lie, and `drover host recover` brings their guests back. Whether one ever ran twice
 * is told by a watcher that asks neither drover nor libvirt; one test lies to drover, and there the watcher must say so.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Incident } from '../../../model/incident.js';
import { ranTwice } from '../copies/report.js';
import { assertAllocations, assertOneGuest } from '../world.js';
import { openDatacenter, shortly, type Datacenter } from './datacenter.js';

const running = ['web', 'frozen', 'low'];

// Each test begins with what the one before left, so a second attempt can't succeed: the first says what is wrong.
describe('recovery of real hosts', { retry: 0 }, () => {
  let dc: Datacenter;
  beforeAll(async () => {
    dc = await openDatacenter();
    await dc.guests(
      { name: 'web', host: 'host1', disk: 'shared' },
      { name: 'frozen', host: 'host1', disk: 'shared' },
      { name: 'idle', host: 'host1', disk: 'shared' },
      { name: 'low', host: 'host1', disk: 'shared' },
      { name: 'net', host: 'host2', disk: 'nas' },
    );
    await dc.ok('instance', 'set-policy', 'web', '--ha', '1');
    await dc.ok('instance', 'set-policy', 'low', '--ha', 'best-effort');
  });
  afterAll(() => dc?.close());

  /** The incident, once the recovery has ended well. */
  const ended = async (recovery: ReturnType<Datacenter['recover']>) => {
    const { exitCode, stdout, stderr } = await recovery;
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
    const { result } = JSON.parse(stdout) as { result: { incident: string } };
    return dc.json<Incident>('incident', 'show', result.incident);
  };
  const where = async (name: string) => (await dc.instance(name)).host;
  const libvirtdHangs = (host: string) =>
    dc.lab.exec(host, ['sh', '-c', 'kill -STOP $(cat /run/libvirtd.pid)']);

  test('fencing turned off by a lie: the guest that is said to be off runs on, and the watcher says so', async () => {
    const watcher = dc.watch();
    await dc.lab.bmcPower('host2', 'stop');
    await dc.lab.partition('host2');
    const recovery = dc.recover('host2');
    const { id } = await dc.asks('host2', 'nothing proves');
    expect(watcher.seen().guests.get('net')?.lives).toMatchObject([{ host: 'host2' }]);
    await dc.ok('incident', 'attest', id, '--comment', 'I have not looked');
    expect(await ended(recovery)).toMatchObject({ state: 'recovered' });
    await dc.judge.waitForTick('net', 1, shortly, { host: 'host1' });
    const told = ranTwice(watcher.seen(), 'net').join('\n');
    expect(told).toContain('net ran on host1 and on host2 at one time');
    expect(() => watcher.assertNeverTwice('web', 'net')).toThrow('net ran on host1 and on host2');
    watcher.assertNeverTwice(...running);

    // The host that was never off comes back with its copy: the readmission ends that, and not the one that is recorded.
    await dc.lab.heal('host2');
    await dc.lab.bmc('host2');
    await dc.ok('host', 'readmit', 'host2');
    await assertOneGuest(dc, 'net', 'host1');
  });

  test('power loss: each guest ends as the table says, in the order of its policy, from its own disk, and told', async () => {
    await dc.ok('instance', 'pause', 'frozen');
    await dc.ok('instance', 'stop', 'idle');
    const watcher = dc.watch();
    await dc.lab.crash('host1');
    const boots = new Map([...running, 'net'].map((name) => [name, dc.lastBoot(name)]));
    const { state, instances } = await ended(dc.recover('host1'));
    expect(state).toBe('recovered');
    expect(instances.map(({ name, was, outcome, host }) => [name, was, outcome, host])).toEqual([
      ['web', 'active', 'evacuated', 'host2'],
      ['frozen', 'paused', 'evacuated', 'host2'],
      ['idle', 'stopped', 'evacuated', 'host2'],
      ['net', 'active', 'evacuated', 'host2'],
      ['low', 'active', 'evacuated', 'host2'],
    ]);
    expect(instances.find(({ name }) => name === 'frozen')?.says).toContain('memory');
    for (const [name, boot] of boots) {
      await dc.judge.waitForTick(name, 1, shortly, { host: 'host2', notBoot: (await boot) ?? '' });
      expect(dc.before(name, 'host2')).toContain(`boot=${await boot} name=${name}`);
      expect(await dc.instance(name)).toMatchObject({
        state: 'active',
        powerState: 'running',
        host: 'host2',
      });
    }
    expect(await dc.instance('idle')).toMatchObject({
      state: 'stopped',
      powerState: 'shutoff',
      host: 'host2',
    });
    watcher.assertNeverTwice(...running, 'net');

    await dc.lab.boot('host1');
    expect(await dc.judge.definitions('web')).toEqual(['host1', 'host2']);
    await dc.ok('host', 'readmit', 'host1');
    for (const name of [...running, 'net']) await assertOneGuest(dc, name, 'host2');
    expect(await dc.judge.definitions('idle')).toEqual(['host2']);
    await assertAllocations(dc);
  });

  test('libvirtd hangs: nothing is done to the guests until a person agrees; then the host is off before any starts elsewhere', async () => {
    const watcher = dc.watch();
    await libvirtdHangs('host2');
    const recovery = dc.recover('host2');
    const { id, waitsFor } = await dc.asks('host2', 'host2 hangs');
    expect(waitsFor).toContain('Its guests may well run');
    for (const name of running) expect(watcher.seen().guests.get(name)?.lives).toHaveLength(1);
    await dc.ok('incident', 'approve', id);
    expect(await ended(recovery)).toMatchObject({ state: 'recovered' });
    for (const name of running) {
      await dc.judge.waitForTick(name, 1, shortly, { host: 'host1' });
      expect(watcher.seen().guests.get(name)?.moves).toMatchObject([{ to: 'host1', oldHostOn: false }]);
    }
    watcher.assertNeverTwice(...running, 'net');
    await dc.bringBack('host2');
    for (const name of running) await assertOneGuest(dc, name, 'host1');
  });

  test('a host that is cut off and runs its guests: off before any starts elsewhere; it comes back into quarantine', async () => {
    const watcher = dc.watch();
    await dc.lab.partition('host1');
    const evidence = { kind: 'power-off', verified: true };
    expect(await ended(dc.recover('host1'))).toMatchObject({ state: 'recovered', evidence });
    for (const name of [...running, 'net']) {
      await dc.judge.waitForTick(name, 1, shortly, { host: 'host2' });
      expect(watcher.seen().guests.get(name)?.moves).toMatchObject([{ to: 'host2', oldHostOn: false }]);
    }
    await dc.lab.boot('host1');
    // Back it is, with all its definitions, and starts none of them.
    expect(await dc.judge.definitions('web')).toEqual(['host1', 'host2']);
    expect(await dc.judge.copies('web')).toMatchObject([{ host: 'host2' }]);
    expect((await dc.drover('instance', 'live-migrate', 'web', '--host', 'host1')).code).toBe(3);
    expect(await where('web')).toBe('host2');
    await dc.ok('host', 'readmit', 'host1');
    for (const name of [...running, 'net']) await assertOneGuest(dc, name, 'host2');
    watcher.assertNeverTwice(...running, 'net');
  });

  test('a BMC that lies: the second witness contradicts it, nothing is started, and only a word that is true helps', async () => {
    const watcher = dc.watch();
    await dc.lab.bmcMode('host2', 'lie');
    await libvirtdHangs('host2');
    const recovery = dc.recover('host2');
    const { id } = await dc.asks('host2', 'host2 hangs');
    await dc.ok('incident', 'approve', id);
    await dc.asks('host2', 'nothing proves');
    for (const name of running) expect(watcher.seen().guests.get(name)?.lives).toHaveLength(1);
    await dc.lab.crash('host2');
    await dc.ok('incident', 'attest', id, '--comment', 'I have pulled the plug');
    expect(await ended(recovery)).toMatchObject({ state: 'recovered' });
    for (const name of running) await dc.judge.waitForTick(name, 1, shortly, { host: 'host1' });
    watcher.assertNeverTwice(...running, 'net');
  });
});
