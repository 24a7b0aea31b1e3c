import { afterEach, beforeEach, expect, test } from 'vitest';
import { transact } from '../../../activities/inventory/database.js';
import { createGroup } from '../../../activities/inventory/groups.js';
import { turnSwitch } from '../../../activities/recovery/switches.js';
import { defaultRecoveryRules } from '../../../model/recovery.js';
import { drill, type DrillOrder } from '../../../virtual/drill.js';
import { guest as adopted, host } from '../inventory/world.js';
import { recoveryWorld, type RecoveryWorld } from '../recovery/world.js';

let world: RecoveryWorld;
beforeEach(async () => {
  world = await recoveryWorld();
  for (const name of ['a', 'b', 'c']) await host(world, name, { memoryMiB: 4096 });
});
afterEach(() => world.close());

const guest = (of: RecoveryWorld, digit: string, on: string, more: Parameters<typeof adopted>[3] = {}) =>
  adopted(of, `${digit.repeat(8)}-0000-4000-8000-000000000000`, on, { name: `web-${digit}`, ...more });
const devices = [{ name: 'a/1 (fence_redfish)', level: 1 }];
const play = (more: Partial<DrillOrder> = {}) =>
  drill(world.inventory, {
    host: 'a',
    rules: defaultRecoveryRules,
    strategy: 'spread',
    devices,
    countsSelfFence: false,
    ...more,
  });
const set = (name: string, columns: Record<string, string | number | null>) =>
  transact(world.inventory, (trx) =>
    trx.updateTable('instances').set(columns).where('name', '=', `web-${name}`).execute(),
  );
const rows = async () =>
  JSON.stringify(
    await Promise.all(
      (['hosts', 'instances', 'allocations', 'operations', 'incidents', 'incident_events'] as const).map(
        (table) => world.inventory.kysely.selectFrom(table).selectAll().execute(),
      ),
    ),
  );

test('order, targets, devices and time are told, and nothing of the inventory is touched', async () => {
  await createGroup(world.inventory, 'web', 'anti-affinity');
  for (const name of ['1', '2', '3']) await guest(world, name, 'a');
  await guest(world, '4', 'b');
  await set('1', { server_group: 'web' });
  await set('4', { server_group: 'web' });
  await set('2', { ha_policy: '1' });
  await set('3', { ha_policy: 'never' });
  const before = await rows();
  const told = await play();
  expect(await rows()).toBe(before);
  expect(told).toMatchObject({ refusal: null, asks: [], ends: 'a is recovered: 2 evacuated, 1 skipped' });
  expect(told.instances.map(({ name, outcome, host: to }) => [name, outcome, to])).toEqual([
    ['web-2', 'evacuated', 'c'],
    ['web-1', 'evacuated', 'c'],
    ['web-3', 'skipped', null],
  ]);
  expect(told.assumed).toContain('a/1 (fence_redfish) answers as configured');
  expect(told.log.map(({ says }) => says).join('\n')).toContain(
    'a/1 (fence_redfish): off was asked for, and it says off',
  );
  const phases = Object.fromEntries(told.phases.map(({ phase, seconds }) => [phase, seconds]));
  expect(phases['settle']).toBeGreaterThanOrEqual(defaultRecoveryRules.settleSeconds);
  // None was ever done here: an honest drill does not make up a number.
  expect(told.seconds).toBeNull();
});

test('what would find no room is told with the reason of each host', async () => {
  await guest(world, '1', 'a', { memoryMiB: 3000 });
  await guest(world, '2', 'a', { memoryMiB: 1000 });
  for (const [id, on] of [
    ['3', 'b'],
    ['4', 'c'],
  ] as const)
    await guest(world, id, on, { memoryMiB: 3000 });
  const told = await play();
  const [big, small] = told.instances.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  expect(small).toMatchObject({ outcome: 'evacuated' });
  expect(big?.outcome).not.toBe('evacuated');
  expect(big?.says).toContain('b: needs 3000 MiB');
  expect(told.asks.join()).toContain('wait for room');
});

test('a host without a device asks for an attestation, one that is held by the brake or in manual mode for an approval', async () => {
  await guest(world, '1', 'a');
  const none = await play({ devices: [] });
  expect(none.assumed).toContain('a has no fence device: somebody looks at it and attests that it is off');
  expect(none.asks).toHaveLength(1);
  expect(none.instances).toMatchObject([{ outcome: 'evacuated' }]);
  await turnSwitch(world.inventory, {
    zone: null,
    mode: 'manual',
    reason: 'night',
    by: 'ann',
    forSeconds: null,
  });
  expect((await play()).asks.join()).toContain('in manual mode a person approves each fence');
  await world.silent('b');
  const narrow = { ...defaultRecoveryRules, budget: { zone: 1, fleet: 1, windowSeconds: 3600 } };
  const storm = await play({ rules: narrow });
  expect(storm.asks[0]).toContain('the storm brake holds it');
  expect(storm.assumed).toContain('silent now, and so here: b');
});

test('networks count as the live hosts have them', async () => {
  await guest(world, '1', 'a', { networks: ['br9'] });
  await world.set('b', { networks: '["br0"]' });
  const { instances } = await play();
  expect(instances).toMatchObject([{ outcome: 'evacuated', host: 'c' }]);
});

test('what would be refused is refused in the same words', async () => {
  await guest(world, '1', 'a');
  await world.set('a', { control_plane: 1 });
  expect((await play()).refusal).toMatchObject({ code: 'RecoveryHeld', details: { rule: 'control-plane' } });
});

test('a disk that lies in no shared store, where others declare some, can not be brought back', async () => {
  const disk = (path: string) => [{ target: 'vda', path, format: 'qcow2' as const, readonly: false }];
  for (const name of ['a', 'b', 'c']) await world.set(name, { storage: '{"nfs":"/srv/nfs"}' });
  await guest(world, '1', 'a', { disks: disk('/srv/nfs/1.qcow2') });
  await guest(world, '2', 'a', { disks: disk('/data/2.qcow2') });
  const { instances } = await play();
  const outcome = (name: string) => instances.find((one) => one.name === name)?.outcome;
  expect([outcome('web-1'), outcome('web-2') === 'evacuated']).toEqual(['evacuated', false]);
});
