import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getHost, listHosts } from '../../../activities/inventory/hosts.js';
import { getOperation, listOperations } from '../../../activities/inventory/records.js';
import { DroverError } from '../../../model/errors.js';
import { operations } from '../../../workflows/catalogue.js';
import { bootIdOf, requireHost } from '../../../activities/simulator/hosts.js';
import type { Asking, VirtualCloud } from '../../../virtual/cloud.js';
import type { Trouble } from '../../../virtual/trouble.js';
import { fault, openCloud } from './cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const failedWith = (code: string) => ({ end: 'failed', error: { code } });
const inputs: Record<string, Record<string, unknown>> = {
  'host.disable': { host: 'h1', reason: 'new memory' },
  'host.enable': { host: 'h1' },
  'host.end-maintenance': { host: 'h1' },
  'host.maintenance': { host: 'h1', for: '2h', reason: 'new memory' },
  'host.readmit': { host: 'h1' },
  'host.reboot': { host: 'h1' },
  'host.recover': { host: 'h1' },
  'host.set': { host: 'h1', zone: 'east', label: { disk: 'ssd' }, storage: { nfs1: '/srv/shared' } },
};
/** Those that take their time have tests of their own. */
const long = ['host.readmit', 'host.reboot', 'host.recover'];
const short = Object.entries(inputs).filter(([key]) => !long.includes(key));

test('each operation on a host has a case', () => {
  const all = [...operations].filter(([, operation]) => operation.target === 'host').map(([key]) => key);
  expect(Object.keys(inputs)).toEqual(all.toSorted());
});

test.each(short)('%s, also when each activity runs twice, leaves one record', async (key, input) => {
  for (const twice of [false, true]) {
    const { ending, id } = cloud.operation(key, input, { twice });
    expect(await ending).toMatchObject({ end: 'done', result: { host: 'h1' } });
    const record = await getOperation(cloud.inventory, id);
    expect(record).toMatchObject({
      kind: key.slice('host.'.length),
      state: 'succeeded',
      host: 'h1',
      by: 'test',
    });
    expect(record.endedAt).not.toBeNull();
  }
  expect(await listOperations(cloud.inventory)).toHaveLength(2);
});

test.each(short)('%s fails for a host that is not there, and can be cancelled', async (key, input) => {
  expect(await cloud.operation(key, { ...input, host: 'h9' }).ending).toMatchObject(failedWith('NotFound'));
  const cancelled = cloud.operation(key, input, {
    troubles: [
      { at: 1, cancel: true },
      { at: 1, fail: { error: new DroverError('Cancelled', 'x') } },
    ],
  });
  expect(await cancelled.ending).toMatchObject(failedWith('Cancelled'));
});

test('enable and disable tell how it was, also to a request that is repeated', async () => {
  const { ending, id } = cloud.operation('host.disable', inputs['host.disable'] ?? {});
  expect(await ending).toMatchObject({ result: { was: { enabled: true, reason: null } } });
  expect(await listHosts(cloud.inventory, { enabled: false })).toMatchObject([{ name: 'h1' }]);
  const again = cloud.operation('host.disable', inputs['host.disable'] ?? {}, { id });
  expect(await again.ending).toMatchObject({ result: { was: { enabled: true, reason: null } } });
  expect(await cloud.operation('host.enable', { host: 'h1' }).ending).toMatchObject({
    result: { was: { enabled: false, reason: 'new memory' } },
  });
});

describe('host.reboot', () => {
  const boots = () => cloud.datacenter.transact((tx) => requireHost(tx, 'h1').boots);
  const bootId = () => cloud.datacenter.transact((tx) => bootIdOf('sim', requireHost(tx, 'h1')));
  const reboot = (troubles: Trouble[] = [], more: Asking = {}) =>
    cloud.operation('host.reboot', { host: 'h1' }, { troubles, ...more });
  const close = () => cloud.operation('host.disable', { host: 'h1', reason: 'test' }).ending;

  test('is refused while the host takes instances, has one, or awaits one; the refusal is a record', async () => {
    const { ending, id } = reboot();
    const open = await ending;
    expect(open).toMatchObject(failedWith('WrongState'));
    expect(open).toMatchObject({ error: { hint: expect.stringContaining('drover host drain h1') } });
    expect(await getOperation(cloud.inventory, id)).toMatchObject({ kind: 'reboot', state: 'refused' });
    await close();
    const guest = await cloud.adopt('web-1');
    const full = await reboot().ending;
    expect(full).toMatchObject({ error: { message: expect.stringContaining('h1 has web-1 (active)') } });
    await cloud.operation('instance.live-migrate', { instance: guest, host: 'h2' }).ending;
    expect(await reboot().ending).toMatchObject({ end: 'done' });
    expect(await boots()).toBe(2);
  });

  test('in maintenance is as good as disabled; a stopped instance is no obstacle', async () => {
    await cloud.operation('host.maintenance', inputs['host.maintenance'] ?? {}).ending;
    await cloud.adopt('web-1', { state: 'stopped' });
    await cloud.adopt('web-2', { state: 'paused' });
    expect(await reboot().ending).toMatchObject({
      error: { message: expect.stringMatching(/h1 has web-2 \(paused\)$/) },
    });
  });

  test('reboots once: each activity twice, its answer lost at each step, a request repeated', async () => {
    await close();
    const first = reboot([], { twice: true });
    const before = await bootId();
    const ended = await first.ending;
    const boot = await bootId();
    expect(ended).toMatchObject({ result: { before, boot } });
    expect(boot).not.toBe(before);
    const calls = first.calls.length;
    expect(await boots()).toBe(2);
    expect(await reboot([], { id: first.id }).ending).toMatchObject({
      end: 'done',
      result: { before, boot },
    });
    expect(await boots()).toBe(2);
    for (let at = 1; at <= calls; at += 1) {
      const lost = { error: new DroverError('Internal', 'the answer is lost'), once: true };
      const booted = await boots();
      expect(await reboot([{ at, when: 'after', fail: lost }]).ending).toMatchObject({ end: 'done' });
      expect(await boots()).toBe(booted + 1);
    }
  });

  test('terminated or reset at any step it has rebooted at most once, and the next one closes its record', async () => {
    await close();
    for (const at of ['beginHostOperation', 'bootId on h1', 'keepBoot', 'rebootHost on h1', 'waitForHost']) {
      const before = await boots();
      const { ending, id } = reboot([{ at, when: 'after', terminate: true }]);
      expect(await ending).toEqual({ end: 'terminated' });
      // A reset: the same request in a new run.
      expect(await reboot([], { id }).ending).toMatchObject({ end: 'done' });
      expect(await boots()).toBe(before + 1);
    }
    const terminated = reboot([{ at: 'keepBoot', terminate: true }]);
    await terminated.ending;
    expect(await reboot().ending).toMatchObject({ end: 'done' });
    expect(await getOperation(cloud.inventory, terminated.id)).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('ended from outside') },
    });
  });

  test('that is cancelled while it waits says that the host may still reboot', async () => {
    await close();
    const { ending, id } = reboot([
      { at: 'waitForHost', cancel: true },
      { at: 'waitForHost', fail: { error: new DroverError('Cancelled', 'asked') } },
    ]);
    expect(await ending).toMatchObject({
      error: { code: 'Cancelled', message: expect.stringContaining('may still') },
    });
    expect(await getOperation(cloud.inventory, id)).toMatchObject({
      state: 'cancelled',
      error: { message: expect.stringContaining('may still') },
    });
    // The host's silence may come in before the word that it is cancelled.
    const silent = reboot([
      { at: 'rebootHost on h1', cancel: true },
      { at: 'rebootHost on h1', fail: { error: new DroverError('TimedOut', 'no heartbeat') } },
    ]);
    expect(await silent.ending).toMatchObject({
      error: { code: 'Cancelled', message: expect.stringContaining('may still') },
    });
  });

  test('that comes not back in time says what is known, and whom to ask', async () => {
    await close();
    const crash = () => fault(cloud, { do: 'crash', hosts: ['h1'] });
    // While it boots: its last boot has ended, and the next one never begins.
    void cloud.clock.sleep(2000).then(crash);
    const { ending, id } = reboot();
    expect(await ending).toMatchObject({
      error: {
        code: 'TimedOut',
        message: expect.stringMatching(/^h1 was told to reboot and is not back in another boot within 15m: /),
        hint: expect.stringContaining('drover host show h1'),
      },
    });
    expect(await getOperation(cloud.inventory, id)).toMatchObject({
      state: 'failed',
      kind: 'reboot',
      host: 'h1',
    });
    expect((await getHost(cloud.inventory, 'h1')).enabled).toBe(false);
  });

  test('a command that fails is told as it is', async () => {
    await close();
    const error = new DroverError(
      'HostError',
      'the host was not rebooted: `systemctl reboot`: access denied',
    );
    const ended = await reboot([{ at: 'rebootHost on h1', fail: { error } }], { id: randomUUID() }).ending;
    expect(ended).toMatchObject({ error: { code: 'HostError', message: error.message } });
    expect(await boots()).toBe(1);
  });
});
