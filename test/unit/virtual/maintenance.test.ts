/** The shipped runbooks of maintenance in virtual time: hosts that reboot, fail to, or are full. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getHost, listHosts } from '../../../activities/inventory/hosts.js';
import { listInstances, setLock } from '../../../activities/inventory/instances.js';
import { listOperations } from '../../../activities/inventory/records.js';
import { getRun, listRuns } from '../../../activities/inventory/runs.js';
import { requireHost } from '../../../activities/simulator/hosts.js';
import { cutPower } from '../../../activities/simulator/host-power.js';
import { runbookCatalogue } from '../../../client/catalogue.js';
import { loadRunbook } from '../../../runbooks/language/load.js';
import { resolveInputs } from '../../../runbooks/language/inputs.js';
import { VirtualCloud, type Asking } from '../../../virtual/cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await VirtualCloud.open({ hosts: 3, instances: 6 });
});
afterEach(() => cloud.close());

async function begin(name: string, given: Record<string, unknown>, asking: Asking = {}) {
  const plan = await loadRunbook(name, [], runbookCatalogue());
  return cloud.runbook(plan, resolveInputs(plan.runbook, given), asking);
}
async function run(name: string, given: Record<string, unknown>, asking: Asking = {}) {
  const handle = await begin(name, given, asking);
  const ending = await handle.ending;
  return { ending, record: await getRun(cloud.inventory, handle.id) };
}
const cutHost1 = () => cloud.datacenter.transact((tx) => cutPower(tx, 'host-1'));
async function cutWhileItBoots() {
  void cloud.clock.sleep(2000).then(cutHost1);
}
const boots = async (host: string) => cloud.datacenter.transact((tx) => requireHost(tx, host).boots);
const on = async (host: string) => (await listInstances(cloud.inventory, { host })).map(({ name }) => name);
const hostNow = (name: string) => getHost(cloud.inventory, name);
const open = { enabled: true, maintenance: null, state: 'up' };
const lock = (name: string) => setLock(cloud.inventory, name, { reason: 'ledger', by: 'bob' });

describe('rolling-reboot', () => {
  test('reboots each host once, one after the other, and stops no guest', async () => {
    const { ending, record } = await run('rolling-reboot', {});
    expect(ending).toMatchObject({ end: 'done' });
    expect(record.outputs).toMatchObject({ rebooted: 3, failed: 0, not_rebooted: 0, left: null });
    for (const host of cloud.hosts) {
      expect(await boots(host)).toBe(2);
      expect(await hostNow(host)).toMatchObject(open);
      const kinds = (await listOperations(cloud.inventory, { host })).map(({ kind }) => kind);
      expect(kinds.toReversed()).toEqual(['maintenance', 'disable', 'reboot', 'enable', 'end-maintenance']);
    }
    const guests = await listInstances(cloud.inventory);
    expect(guests.filter(({ state, powerState }) => state !== 'active' || powerState !== 'running')).toEqual(
      [],
    );
    const started = (await listRuns(cloud.inventory, { runbook: 'reboot-host' })).toReversed();
    for (const [index, { startedAt }] of started.entries())
      expect(startedAt >= (started[index - 1]?.endedAt ?? '')).toBe(true);
  });

  test('takes the hosts that are given, in their order; skips disabled ones and those in maintenance otherwise', async () => {
    await cloud.operation('host.disable', { host: 'host-1', reason: 'broken' }).ending;
    await cloud.operation('host.maintenance', { host: 'host-2', for: '4h', reason: 'disks' }).ending;
    const all = await run('rolling-reboot', {});
    // Nothing can take the instances of host-3, and it says so.
    expect(all.record.outputs).toMatchObject({ rebooted: 0, failed: 1, not_rebooted: 1 });
    expect(all.record.outputs['left']).toEqual([
      expect.stringMatching(/^host-3 is up, disabled, in maintenance until .*Z, with 2 instances$/),
    ]);
    const given = await run('rolling-reboot', { hosts: ['host-2', 'host-1'], hosts_at_a_time: 1 });
    expect(given.record.outputs).toMatchObject({ rebooted: 0, failed: 1, not_rebooted: 2 });
  });

  test('stops at the first that fails, tells where each is, and goes on with `max_failures`', async () => {
    await lock('vm-2');
    const { ending, record } = await run('rolling-reboot', { reason: 'kernel' }, { role: 'operator' });
    expect(ending).toMatchObject({ end: 'failed', error: { code: 'RunFailed' } });
    expect(record.steps.find(({ id }) => id === 'reboot')).toMatchObject({ done: 1, failed: 1, total: 3 });
    expect(record.outputs['left']).toEqual([
      expect.stringMatching(/^host-1 is up, enabled, with \d instances$/),
      expect.stringMatching(/^host-2 is up, disabled, in maintenance until .*Z, with 1 instances$/),
      expect.stringMatching(/^host-3 is up, enabled, with \d instances$/),
    ]);
    expect(await Promise.all(cloud.hosts.map(boots))).toEqual([2, 1, 1]);
    expect(await on('host-2')).toEqual(['vm-2']);
    const more = await run(
      'rolling-reboot',
      { hosts: ['host-2', 'host-3'], max_failures: 1 },
      { role: 'operator' },
    );
    expect(more.record.outputs).toMatchObject({ rebooted: 1, failed: 1 });
    expect(await boots('host-3')).toBe(2);
  });

  test('waits for the approval of the hosts that it names, and does nothing when it is rejected', async () => {
    const handle = await begin('rolling-reboot', { approval: true });
    await cloud.clock.drive(cloud.clock.sleep(1000));
    const asked = await handle.progress();
    expect(JSON.stringify(asked)).toContain('Reboot 3 hosts: host-1, host-2, host-3');
    await handle.update('reject', { by: 'eve', role: 'admin', comment: 'not today', step: null });
    expect(await handle.ending).toMatchObject({ end: 'failed', error: { code: 'Rejected' } });
    expect(await Promise.all(cloud.hosts.map(boots))).toEqual([1, 1, 1]);
  });

  test.each([
    ['while it boots', 'within', cutWhileItBoots],
    ['once its worker was there', 'after', cutHost1],
  ] as const)(
    'a host that loses its power %s stays closed, and no other is begun',
    async (_title, when, act) => {
      const children = { troubles: [{ at: 'rebootHost on host-1', when, act }] };
      const { ending, record } = await run('rolling-reboot', { reboot_timeout: '5m' }, { children });
      expect(ending).toMatchObject({ end: 'failed' });
      expect(record.steps.find(({ id }) => id === 'reboot')).toMatchObject({ done: 0, failed: 1 });
      expect(await hostNow('host-1')).toMatchObject({
        enabled: false,
        maintenance: { reason: 'rolling reboot' },
      });
      const [reboot] = (await listOperations(cloud.inventory, { host: 'host-1' })).filter(
        ({ kind }) => kind === 'reboot',
      );
      expect(reboot).toMatchObject({ state: 'failed', error: { code: 'TimedOut' } });
      expect(reboot?.error?.message).toMatch(
        /^host-1 was told to reboot and is not back in another boot within 5m/,
      );
      expect(await boots('host-2')).toBe(1);
    },
  );
});

describe('reboot-host', () => {
  test('brings back what it moved away, and nothing else', async () => {
    const before = await on('host-1');
    const others = await on('host-2');
    const { ending, record } = await run('reboot-host', { host: 'host-1', move_back: true });
    expect(ending).toMatchObject({ end: 'done' });
    expect(record.outputs).toMatchObject({ moved_back: before.length, left: null });
    expect(await on('host-1')).toEqual(before);
    expect(await on('host-2')).toEqual(others);
    expect(await hostNow('host-1')).toMatchObject(open);
  });

  test('leaves a host that was closed before as it was', async () => {
    await cloud.operation('host.disable', { host: 'host-1', reason: 'broken' }).ending;
    await cloud.operation('host.maintenance', { host: 'host-1', for: '4h', reason: 'disks' }).ending;
    const { maintenance } = await hostNow('host-1');
    expect(await run('reboot-host', { host: 'host-1', move_back: true })).toMatchObject({
      ending: { end: 'done' },
    });
    expect(await boots('host-1')).toBe(2);
    expect(await hostNow('host-1')).toMatchObject({ enabled: false, maintenance });
    expect(await on('host-1')).toEqual([]);
  });

  test('that is cancelled while it drains leaves the host as it was', async () => {
    const handle = await begin('reboot-host', { host: 'host-1' });
    await cloud.clock.drive(cloud.clock.sleep(1500));
    expect(await hostNow('host-1')).toMatchObject({ enabled: false, maintenance: { reason: 'reboot' } });
    handle.cancel();
    expect(await handle.ending).toMatchObject({ end: 'failed', error: { code: 'Cancelled' } });
    expect(await hostNow('host-1')).toMatchObject(open);
    expect(await boots('host-1')).toBe(1);
  });
});

describe('undrain', () => {
  test('opens the host and brings back what a drain moved, but for what is locked, which it names', async () => {
    const before = await on('host-1');
    await run('drain-host', { host: 'host-1' });
    expect(await on('host-1')).toEqual([]);
    const [held = ''] = before;
    await lock(held);
    const { ending, record } = await run('undrain', { host: 'host-1' }, { role: 'operator' });
    expect(ending).toMatchObject({ end: 'failed', error: { message: expect.stringContaining(held) } });
    expect(record.outputs).toMatchObject({ moved: before.length - 1, failed: 0, remaining: 1 });
    expect(await on('host-1')).toEqual(before.filter((name) => name !== held));
    expect(await hostNow('host-1')).toMatchObject(open);
  });

  test('and a drain of the same host wait for nobody: the second is refused', async () => {
    const drain = await begin('drain-host', { host: 'host-1' });
    const second = await run('undrain', { host: 'host-1' });
    expect(second.ending).toMatchObject({ end: 'failed', error: { code: 'RunBusy' } });
    expect(await drain.ending).toMatchObject({ end: 'done' });
    expect(await listHosts(cloud.inventory, { enabled: false })).toMatchObject([{ name: 'host-1' }]);
  });
});
