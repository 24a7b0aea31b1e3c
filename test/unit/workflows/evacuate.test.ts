import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { definitionOf } from '../../../activities/inventory/definitions.js';
import { recordProbe } from '../../../activities/inventory/hosts.js';
import { transact } from '../../../activities/inventory/database.js';
import { listOperations } from '../../../activities/inventory/records.js';
import { cutPower, slow } from '../../../activities/simulator/host-power.js';
import { imageDirectory, localDirectory, sharedDirectory } from '../../../activities/simulator/hosts.js';
import { guestOn } from '../../../activities/simulator/guests.js';
import { movePolicy } from '../../../model/instance.js';
import { broken } from '../../proof/invariants.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { alive, boots, migrating, openCloud, until } from './cloud.js';
import { fence, loseAndFence } from './evacuation.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const declare = (...hosts: string[]) =>
  transact(cloud.inventory, (trx) =>
    trx
      .updateTable('hosts')
      .set({ storage: JSON.stringify({ nas: sharedDirectory }) })
      .where('name', 'in', hosts)
      .execute(),
  );
const lose = (host = 'h1') => loseAndFence(cloud, host);
const evacuate = (instance: string, input: Record<string, unknown> = {}) =>
  cloud.operation('instance.evacuate', { instance, ...input });

const wrong = (id: string) => broken(cloud, id);

describe('each state ends as it is told', () => {
  it.each([
    ['active', 'active'],
    ['paused', 'active'],
    ['suspended', 'active'],
    ['stopped', 'stopped'],
  ] as const)('%s → %s', async (state, ends) => {
    const id = await cloud.adopt('web-1', { host: 'h1', state });
    await lose();
    const ending = await evacuate(id).ending;
    expect(ending).toMatchObject({ end: 'done', result: { from: 'h1', state: ends } });
    const now = await cloud.instance(id);
    expect(now).toMatchObject({ state: ends, needsRepair: null, fault: null });
    expect(now.host).not.toBe('h1');
    expect(await alive(cloud, id)).toEqual(ends === 'active' ? [now.host] : []);
    expect(await wrong(id)).toEqual([]);
  });

  it.each([
    ['active', 'h1'],
    ['stopped', 'h1'],
    ['active', 'h2'],
  ] as const)('%s and resized, with %s lost', async (state, lost) => {
    const id = await cloud.adopt('web-1', { host: 'h2', state });
    await cloud.operation('instance.migrate', { instance: id, host: 'h1', confirm_after: 'never' }).ending;
    await cloud.clock.advance(1000);
    await lose(lost);
    const ending = await evacuate(id, { from: lost }).ending;
    expect(ending).toMatchObject({ end: 'done' });
    const now = await cloud.instance(id);
    // What the other side holds for the way back does no harm: it is the instance's to confirm or to revert.
    expect(now).toMatchObject(lost === 'h1' ? { state, resized: null } : { state: 'resized', host: 'h1' });
    expect(await alive(cloud, id)).toEqual(state === 'active' ? [now.host] : []);
    expect(await wrong(id)).toEqual([]);
  });

  it('its size, its networks and its serial log are those that it had', async () => {
    const id = await cloud.adopt('web-1', { host: 'h1', vcpus: 3, memoryMiB: 2048 });
    const before = await definitionOf(cloud.inventory, id);
    await lose();
    await evacuate(id, { host: 'h3' }).ending;
    expect(await definitionOf(cloud.inventory, id)).toBe(before);
    const guest = await cloud.datacenter.transact((tx) => guestOn(tx, 'h3', id));
    expect(guest).toMatchObject({ vcpus: 3, memory_mib: 2048, autostart: 0, managed_save: 0 });
  });
});

describe('it is refused', () => {
  it('while nothing proves that the host is off', async () => {
    const id = await cloud.adopt('web-1', { host: 'h1' });
    await cloud.datacenter.transact((tx) => cutPower(tx, 'h1'));
    await recordProbe(cloud.inventory, 'h1', { up: false, reason: 'silent' });
    expect(await evacuate(id).ending).toMatchObject({ end: 'failed', error: { code: 'FencingRequired' } });
    await fence(cloud, 'h1', 'released');
    expect(await evacuate(id).ending).toMatchObject({ end: 'failed', error: { code: 'FencingRequired' } });
    expect(await alive(cloud, id)).toEqual([]);
  });

  it('for a disk that was on the host itself, and nothing is changed', async () => {
    const id = await cloud.adopt('web-1', { host: 'h1', local: true });
    await lose();
    const ending = await evacuate(id).ending;
    expect(ending).toMatchObject({ end: 'failed', error: { code: 'DiskNotShared' } });
    expect(ending.end === 'failed' && ending.error.hint).toContain('backup');
    expect(await cloud.instance(id)).toMatchObject({ state: 'active', host: 'h1', needsRepair: null });
    expect(await wrong(id)).toEqual([]);
  });

  it('where something still writes to the disk: what was proven is not so', async () => {
    const id = await cloud.adopt('web-1', { host: 'h1' });
    await fence(cloud, 'h1');
    const ending = await evacuate(id).ending;
    expect(ending).toMatchObject({ end: 'failed', error: { code: 'DiskLocked' } });
    expect(ending.end === 'failed' && ending.error.message).toContain('is locked');
    expect(await alive(cloud, id)).toEqual(['h1']);
  });

  it('and all other operations are, there', async () => {
    const id = await cloud.adopt('web-1', { host: 'h1' });
    await lose();
    for (const operation of ['stop', 'reboot', 'live-migrate', 'pause'])
      expect(await cloud.operation(`instance.${operation}`, { instance: id }).ending).toMatchObject({
        end: 'failed',
        error: { code: 'HostFenced' },
      });
    await cloud.janitor().ending;
    expect(await cloud.instance(id)).toMatchObject({ state: 'active', host: 'h1' });
  });

  it('to reserved hosts, unless they may be taken', async () => {
    const id = await cloud.adopt('web-1', { host: 'h1' });
    await transact(cloud.inventory, (trx) =>
      trx.updateTable('hosts').set({ reserved: 1 }).where('name', '<>', 'h1').execute(),
    );
    await lose();
    expect(await evacuate(id).ending).toMatchObject({ end: 'failed', error: { code: 'NoValidHost' } });
    expect(await evacuate(id, { reserved: true }).ending).toMatchObject({ end: 'done' });
  });
});

describe('another host', () => {
  it('is tried where one has another guest of that name', async () => {
    const id = await cloud.adopt('web-1', { host: 'h1' });
    const other = await cloud.adopt('other', { host: 'h2' });
    await cloud.datacenter.transact((tx) => tx.run(`update guests set name = 'web-1' where id = ?`, other));
    await lose();
    const ending = await evacuate(id).ending;
    expect(ending).toMatchObject({ end: 'done', result: { to: 'h3' } });
    expect(await wrong(id)).toEqual([]);
  });

  it('is not tried where the first may run it: only once that one is fenced, too', async () => {
    const id = await cloud.adopt('web-1', { host: 'h1' });
    await cloud.datacenter.transact((tx) => slow(tx, 'h2', { callMs: 2000, link: null }));
    await lose();
    const first = evacuate(id, { host: 'h2' });
    await until(cloud, 'it runs there', async () => (await alive(cloud, id)).includes('h2'));
    await cloud.datacenter.transact((tx) => cutPower(tx, 'h2'));
    expect(await first.ending).toMatchObject({ end: 'failed', error: { code: 'UnwindIncomplete' } });
    expect(await evacuate(id).ending).toMatchObject({ end: 'failed', error: { code: 'HostUnknown' } });
    expect(await cloud.instance(id)).toMatchObject({ state: 'active', host: 'h1' });
    await fence(cloud, 'h2');
    // Without a third host that lives the storage is proven by what is declared.
    await declare('h1', 'h3');
    expect(await evacuate(id).ending).toMatchObject({ end: 'done', result: { to: 'h3' } });
    expect(await wrong(id)).toEqual([]);
  });
});

describe('what runs on it', () => {
  it('is superseded, and a migration from the lost host is taken back on its target', async () => {
    const id = await cloud.adopt('web-1', { host: 'h1', memoryMiB: 65_536 });
    const move = cloud.operation('instance.live-migrate', { instance: id, host: 'h2' });
    await migrating(cloud);
    await lose();
    const ending = await evacuate(id).ending;
    expect(ending).toMatchObject({ end: 'done' });
    expect((await move.ending).end).not.toBe('done');
    const now = await cloud.instance(id);
    expect(now.state).toBe('active');
    expect(await alive(cloud, id)).toEqual([now.host]);
    expect(await wrong(id)).toEqual([]);
  });

  it('is terminated when it does not end by itself, and what is late of it changes nothing', async () => {
    const id = await cloud.adopt('web-1', { host: 'h1', memoryMiB: 65_536 });
    const move = cloud.operation('instance.live-migrate', { instance: id, host: 'h2' });
    await migrating(cloud);
    await lose();
    cloud.temporal.killWorker(null);
    const begun = cloud.clock.now();
    expect(await evacuate(id).ending).toMatchObject({ end: 'done' });
    expect(cloud.clock.now() - begun).toBeLessThan(60_000);
    expect((await move.ending).end).toBe('terminated');
    cloud.temporal.startWorker(null);
    await cloud.settle();
    const now = await cloud.instance(id);
    expect(await alive(cloud, id)).toEqual([now.host]);
    expect(await wrong(id)).toEqual([]);
    const [, record] = await listOperations(cloud.inventory, { instance: id });
    expect(record).toMatchObject({ kind: 'live-migrate', state: 'failed' });
  });

  it.each(['h1', 'h2'])('a post-copy of which %s is lost: it boots from its disk, once', async (lost) => {
    const id = await cloud.adopt('web-1', { host: 'h1', memoryMiB: 4096 });
    const policy = JSON.stringify(movePolicy.parse({ postCopy: true }));
    await transact(cloud.inventory, (trx) =>
      trx.updateTable('instances').set({ move_policy: policy }).where('id', '=', id).execute(),
    );
    await cloud.datacenter.transact((tx) => {
      tx.run('update guests set dirty = ? where id = ?', 120 * 1024 ** 2, id);
      slow(tx, 'h1', { callMs: null, link: 100 * 1024 ** 2 });
    });
    const move = cloud.operation('instance.live-migrate', { instance: id, host: 'h2' });
    const onH2 = () => cloud.datacenter.transact((tx) => guestOn(tx, 'h2', id));
    await until(cloud, 'it runs in two halves', async () => (await onH2())?.reason === 'post-copy');
    await lose(lost);
    const asked = evacuate(id);
    expect(await asked.ending).toMatchObject({ end: 'done' });
    await move.ending;
    const now = await cloud.instance(id);
    expect(now).toMatchObject({ state: 'active', needsRepair: null });
    expect(await alive(cloud, id)).toEqual([now.host]);
    expect(await boots(cloud, id)).toBe(1);
    expect(await wrong(id)).toEqual([]);
  });

  it('a launch goes on on the next host, once the one that it was on is fenced', async () => {
    const instance = cloud.random.uuid();
    const image = { image: `${imageDirectory}/debian-12.qcow2`, directory: localDirectory };
    const input = { instance, name: 'web-1', vcpus: 1, memory_mib: 1024, ...image };
    await cloud.datacenter.transact((tx) => slow(tx, 'h1', { callMs: 2000, link: null }));
    const launch = cloud.operation('instance.launch', input);
    await until(cloud, 'it is defined', async () => launch.calls.includes('startGuest'));
    await lose();
    expect(await launch.ending).toMatchObject({ end: 'done', result: { host: 'h2' } });
    expect(await alive(cloud, instance)).toEqual(['h2']);
    expect(await cloud.instance(instance)).toMatchObject({ state: 'active', needsRepair: null });
  });

  it('leaves what it cannot undo on the lost host to the readmission', async () => {
    const id = await cloud.adopt('web-1', { host: 'h2', state: 'stopped', local: true });
    const move = cloud.operation('instance.migrate', { instance: id, host: 'h1' });
    await until(cloud, 'its disk is copied', () => move.calls.some((call) => call.startsWith('importDisk')));
    await lose();
    move.cancel();
    expect((await move.ending).end).toBe('failed');
    await cloud.janitor().ending;
    expect(await cloud.instance(id)).toMatchObject({ state: 'stopped', host: 'h2', needsRepair: null });
    const rows = await cloud.inventory.kysely
      .selectFrom('intents')
      .select('says')
      .where('state', '=', 'open')
      .execute();
    expect(rows).toEqual([]);
  });

  it('a migration to the lost host leaves the guest on its source', async () => {
    const id = await cloud.adopt('web-1', { host: 'h2', memoryMiB: 65_536 });
    const move = cloud.operation('instance.live-migrate', { instance: id, host: 'h1' });
    await migrating(cloud);
    await lose();
    await move.ending;
    await cloud.janitor().ending;
    expect(await cloud.instance(id)).toMatchObject({ state: 'active', host: 'h2', needsRepair: null });
    expect(await alive(cloud, id)).toEqual(['h2']);
  });

  it('is left alone while no host of it is fenced', async () => {
    const id = await cloud.adopt('web-1', { host: 'h2', memoryMiB: 65_536 });
    const move = cloud.operation('instance.live-migrate', { instance: id, host: 'h3' });
    await migrating(cloud);
    expect(await evacuate(id).ending).toMatchObject({ end: 'failed', error: { code: 'FencingRequired' } });
    expect(await move.ending).toMatchObject({ end: 'done' });
  });
});
