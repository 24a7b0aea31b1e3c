/** Instances of a lost host are brought back: without room, in the face of contradictions, and whoever ends it in the middle. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { getHost } from '../../../activities/inventory/hosts.js';
import { listIncidents } from '../../../activities/inventory/incidents.js';
import { boot } from '../../../activities/simulator/host-power.js';
import { VirtualCloud } from '../../../virtual/cloud.js';
import { boots, until } from './cloud.js';
import { answer, asked, crash, fenceOf, incidentOf, logOf, recover, runsOn, strike } from './recoveries.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await VirtualCloud.open({ hosts: ['h1', 'h2', 'h3'] });
  cloud.recovery.settleSeconds = 5;
});
afterEach(() => cloud.close());

const some = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => cloud.adopt(`web-${index + 1}`, { host: 'h1' })));
const logged = async (what: RegExp) => (await logOf(cloud)).some((line) => what.test(line));
const fences = async () =>
  (await cloud.inventory.kysely.selectFrom('incidents').select('fence_taken_at').execute()).filter(
    (row) => row.fence_taken_at !== null,
  ).length;

/** Every evacuation takes its time. */
const slowly = (ms = 3000) => strike(cloud, { do: 'slow', hosts: ['h2', 'h3'], 'call-ms': ms });

describe('no room', () => {
  it('waits for it, is told, and goes on once there is some', async () => {
    const big = await cloud.adopt('big', { host: 'h1', memoryMiB: 131_072 });
    await cloud.adopt('there', { host: 'h2' });
    await cloud.adopt('there, too', { host: 'h3' });
    await crash(cloud);
    const handle = recover(cloud);
    expect(await asked(cloud)).toMatch(/1 wait for room \(big\)/);
    expect(await incidentOf(cloud)).toMatchObject({ state: 'waiting', endedAt: null });
    await cloud.addHost('h4', 'rack-1', 2);
    expect(await handle.ending).toMatchObject({ result: { state: 'recovered' } });
    expect(await runsOn(cloud, big)).toEqual(['h4']);
  });

  it('a readmission meanwhile ends it: the host is not cut off again under it', async () => {
    const big = await cloud.adopt('big', { host: 'h1', memoryMiB: 131_072 });
    await cloud.adopt('there', { host: 'h2' });
    await cloud.adopt('there, too', { host: 'h3' });
    await crash(cloud);
    const handle = recover(cloud);
    await asked(cloud);
    const readmit = cloud.operation('host.readmit', { host: 'h1', power_on: true });
    expect(await readmit.ending).toMatchObject({ end: 'done' });
    expect(await handle.ending).toMatchObject({ result: { state: 'recovered' } });
    expect(await fenceOf(cloud)).toBeNull();
    expect(await fences()).toBe(1);
    expect(await cloud.instance(big)).toMatchObject({ host: 'h1' });
  });

  it('a disk of the lost host itself is no matter of room: it is told at once, with the way out', async () => {
    const [web = ''] = await some(1);
    const own = await cloud.adopt('own', { host: 'h1', local: true });
    await crash(cloud);
    const begun = cloud.clock.now();
    expect(await recover(cloud).ending).toMatchObject({
      end: 'failed',
      error: { code: 'RecoveryIncomplete' },
    });
    expect(cloud.clock.now() - begun).toBeLessThan(120_000);
    const { state, instances } = await incidentOf(cloud);
    expect(state).toBe('partly-recovered');
    expect(instances.find(({ instance }) => instance === own)).toMatchObject({ outcome: 'failed' });
    expect(instances.find(({ instance }) => instance === own)?.says).toContain('of h2 is its own');
    expect(await boots(cloud, web)).toBe(1);
  });

  it('ends without it after its time; asked for again, it tries what is left', async () => {
    cloud.recovery.retryForSeconds = 600;
    const [web = ''] = await some(1);
    const big = await cloud.adopt('big', { host: 'h1', memoryMiB: 129_000 });
    await cloud.adopt('there', { host: 'h2', memoryMiB: 4096 });
    await cloud.adopt('there, too', { host: 'h3', memoryMiB: 4096 });
    await crash(cloud);
    expect(await recover(cloud).ending).toMatchObject({
      end: 'failed',
      error: { code: 'RecoveryIncomplete' },
    });
    expect(await incidentOf(cloud)).toMatchObject({ state: 'partly-recovered' });
    expect(await fenceOf(cloud)).toMatchObject({ state: 'held' });
    await cloud.addHost('h4', 'rack-1', 2);
    expect(await recover(cloud).ending).toMatchObject({ result: { state: 'recovered' } });
    expect(await runsOn(cloud, big)).toEqual(['h4']);
    expect(await boots(cloud, web)).toBe(1);
    expect(await fences()).toBe(1);
    const [one, ...more] = await listIncidents(cloud.inventory);
    expect(more).toEqual([]);
    expect(one?.instances.map(({ name, outcome }) => `${name} ${outcome}`).toSorted()).toEqual([
      'big evacuated',
      'web-1 evacuated',
    ]);
  });
});

/** It gets its power, and its BMC says off all the same. */
async function bootUnseen(): Promise<void> {
  await strike(cloud, { do: 'bmc', hosts: ['h1'], state: 'lie' });
  await cloud.datacenter.transact((tx) => {
    boot(tx, 'h1');
    tx.run("update hosts set bmc_said = 'off' where name = 'h1'");
  });
}

describe('the evidence is verified before each batch', () => {
  beforeEach(async () => {
    cloud.recovery.atATime = 1;
    await some(4);
    await slowly();
  });

  it('a host that somebody switches on is switched off again', async () => {
    await crash(cloud);
    const handle = recover(cloud);
    await until(cloud, 'one is back', () => logged(/^evacuated/));
    await cloud.datacenter.transact((tx) => boot(tx, 'h1'));
    expect(await handle.ending).toMatchObject({ result: { state: 'recovered' } });
    expect(await logged(/h1 was switched on .* off again/)).toBe(true);
  });

  it('a sign of life withdraws it: nothing more is started until a person has seen to it', async () => {
    await crash(cloud);
    const handle = recover(cloud);
    await until(cloud, 'one is back', () => logged(/^evacuated/));
    await bootUnseen();
    expect(await asked(cloud)).toMatch(/the evidence is withdrawn/);
    expect(await fenceOf(cloud)).toMatchObject({ state: 'withdrawn' });
    await cloud.clock.advance(3_600_000);
    expect(await incidentOf(cloud)).toMatchObject({ state: 'waiting' });
    await crash(cloud);
    await answer(handle, 'attest', { comment: 'off now' });
    expect(await handle.ending).toMatchObject({ result: { state: 'recovered' } });
  });

  it('and where the person rather leaves it, the host is quarantined', async () => {
    await crash(cloud);
    const handle = recover(cloud);
    await until(cloud, 'one is back', () => logged(/^evacuated/));
    await bootUnseen();
    await asked(cloud);
    await answer(handle, 'reject');
    expect(await handle.ending).toMatchObject({ end: 'failed', error: { code: 'RecoveryIncomplete' } });
    expect(await incidentOf(cloud)).toMatchObject({ state: 'partly-recovered' });
    expect((await getHost(cloud.inventory, 'h1')).fence).not.toBeNull();
  });

  it('a device that says nothing by then is no contradiction while nobody sees the host', async () => {
    await crash(cloud);
    const handle = recover(cloud);
    await until(cloud, 'one is back', () => logged(/^evacuated/));
    await strike(cloud, { do: 'bmc', hosts: ['h1'], state: 'dead' });
    expect(await handle.ending).toMatchObject({ result: { state: 'recovered' } });
  });
});

describe('cancelled', () => {
  it.each([
    ['while it is confirmed', 1000, 'not-fenced', true],
    ['while it settles', 7000, 'not-fenced', true],
    ['while it is fenced', 15_100, 'failed', false],
  ] as const)('%s', async (_when, after, state, isEnabled) => {
    await some(1);
    await crash(cloud);
    const handle = recover(cloud);
    await cloud.clock.advance(after);
    handle.cancel();
    expect(await handle.ending).toMatchObject({ end: 'failed', error: { code: 'Cancelled' } });
    expect(await incidentOf(cloud)).toMatchObject({ state, endedAt: expect.any(String) });
    expect((await getHost(cloud.inventory, 'h1')).enabled).toBe(isEnabled);
  });

  it('while it asks somebody', async () => {
    await some(1);
    await crash(cloud);
    await strike(cloud, { do: 'bmc', hosts: ['h1'], state: 'dead' });
    const handle = recover(cloud);
    await asked(cloud);
    handle.cancel();
    expect(await handle.ending).toMatchObject({ end: 'failed', error: { code: 'Cancelled' } });
    expect(await incidentOf(cloud)).toMatchObject({ state: 'failed', waitsFor: null });
  });

  it('while instances are brought back: what has begun comes to its end, nothing more begins, the fence stays', async () => {
    cloud.recovery.atATime = 2;
    const all = await some(6);
    await slowly();
    await crash(cloud);
    const handle = recover(cloud);
    await until(cloud, 'one is back', () => logged(/^evacuated/));
    handle.cancel();
    expect(await handle.ending).toMatchObject({ end: 'failed', error: { code: 'Cancelled' } });
    expect(await incidentOf(cloud)).toMatchObject({ state: 'partly-recovered' });
    expect(await fenceOf(cloud)).toMatchObject({ state: 'held' });
    const back = (await Promise.all(all.map((id) => runsOn(cloud, id)))).filter((hosts) => hosts.length > 0);
    expect(back.length).toBeGreaterThan(0);
    expect(back.length).toBeLessThan(6);
    const evacuated = (await incidentOf(cloud)).instances.filter(({ outcome }) => outcome === 'evacuated');
    expect(evacuated.length).toBe(back.length);
    expect(await recover(cloud).ending).toMatchObject({ result: { state: 'recovered' } });
    for (const id of all) expect(await boots(cloud, id)).toBe(1);
    expect(await fences()).toBe(1);
  });
});

describe('its workflow is ended from outside', () => {
  it.each([1000, 7000, 15_100, 17_000, 22_000, 30_000, 45_000])(
    'after %d ms: asked for again it goes on, with one fence, and touches nothing that is back',
    async (after) => {
      cloud.recovery.atATime = 2;
      const all = await some(4);
      await slowly();
      await crash(cloud);
      const handle = recover(cloud);
      await cloud.clock.advance(after);
      handle.terminate();
      const again = recover(cloud, { by: 'bob' });
      expect(await again.ending).toMatchObject({ end: 'done', result: { state: 'recovered' } });
      for (const id of all) {
        expect(await runsOn(cloud, id)).toHaveLength(1);
        expect(await boots(cloud, id)).toBe(1);
      }
      expect(await fences()).toBe(1);
      expect(await listIncidents(cloud.inventory)).toHaveLength(1);
      const names = (await incidentOf(cloud)).instances.map(({ name, outcome }) => `${name} ${outcome}`);
      expect(names.toSorted()).toEqual([1, 2, 3, 4].map((n) => `web-${n} evacuated`));
    },
  );

  it('reset, it goes on as well', async () => {
    const all = await some(3);
    await slowly();
    await crash(cloud);
    const handle = recover(cloud);
    await until(cloud, 'it brings them back', () => logged(/^planned/));
    expect(await handle.reset().ending).toMatchObject({ result: { state: 'recovered' } });
    for (const id of all) expect(await boots(cloud, id)).toBe(1);
    expect(await fences()).toBe(1);
  });
});

describe('asked for twice', () => {
  it('is one recovery: whoever comes later is in its log', async () => {
    await some(1);
    await crash(cloud);
    const first = recover(cloud);
    await cloud.clock.advance(1000);
    const second = recover(cloud, { by: 'bob' });
    expect(second.run).toBe(first.run);
    await first.ending;
    expect(await logged(/^asked again: bob asks for it, too/)).toBe(true);
    expect(await listIncidents(cloud.inventory)).toHaveLength(1);
  });

  it('after its readmission it is another incident', async () => {
    await some(1);
    await crash(cloud);
    await recover(cloud).ending;
    await strike(cloud, { do: 'restore', hosts: ['h1'] });
    expect(await cloud.operation('host.readmit', { host: 'h1' }).ending).toMatchObject({ end: 'done' });
    await cloud.adopt('new', { host: 'h1' });
    await cloud.clock.advance(60_000);
    await crash(cloud);
    expect(await recover(cloud).ending).toMatchObject({ result: { state: 'recovered' } });
    expect(await listIncidents(cloud.inventory)).toHaveLength(2);
  });
});
