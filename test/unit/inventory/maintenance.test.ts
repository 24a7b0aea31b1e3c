import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getHost, recordProbe } from '../../../activities/inventory/hosts.js';
import { listInstances } from '../../../activities/inventory/instances.js';
import {
  getOperation,
  listOperations,
  migrationEnded,
  migrationStarted,
} from '../../../activities/inventory/records.js';
import { transact } from '../../../activities/inventory/database.js';
import type { Request } from '../../../model/operation.js';
import { callOf } from '../../call.js';
import { begin, claimOf, guest, host, makeWorld, told, type World } from './world.js';

let world: World;
beforeEach(async () => {
  world = await makeWorld();
  await host(world, 'kvm-1');
  await host(world, 'kvm-2');
});
afterEach(() => world.close());

const none = callOf(null);
const asked = (id: string, by = 'ann', run: Request['run'] = null): Request => ({
  id,
  by,
  role: 'operator',
  run,
});
const declare = (id: string, seconds: number, reason: string, request: Request = asked(id)) =>
  world.act.startMaintenance({ host: 'kvm-1', seconds, reason, request }, none);
const now = async () => (await getHost(world.inventory, 'kvm-1')).maintenance;

describe('maintenance', () => {
  test('is told with its time, its reason, who and which run; it ends by itself', async () => {
    expect(await now()).toBeNull();
    const run = { id: 'r1', step: 'maintenance', item: null };
    const { until, was } = await declare('op1', 60, 'new memory', asked('op1', 'ann', run));
    expect(was).toBeNull();
    expect(await now()).toEqual({ until, by: 'ann', reason: 'new memory', run: 'r1' });
    // The world's clock goes on by a second at each look.
    for (let looks = 0; looks < 60; looks += 1) world.inventory.now();
    expect(await now()).toBeNull();
    expect(world.inventory.now() > until).toBe(true);
  });

  test('a longer one extends it and tells what was; a shorter one leaves it', async () => {
    const first = await declare('op1', 3600, 'new memory');
    const longer = await declare('op2', 7200, 'new board', asked('op2', 'bob'));
    expect(longer.was).toEqual({ until: first.until, by: 'ann', reason: 'new memory', run: null });
    expect(longer.note).toBe(
      `in maintenance until ${longer.until}; it was until ${first.until}, by ann: new memory`,
    );
    const shorter = await declare('op3', 60, 'a look');
    expect(shorter).toMatchObject({ until: longer.until, was: { by: 'bob' } });
    expect(await now()).toMatchObject({ until: longer.until, by: 'bob', reason: 'new board' });
  });

  test('is ended before its time; ending none is no error', async () => {
    const { until } = await declare('op1', 3600, 'new memory');
    const end = (id: string) => world.act.endMaintenance({ host: 'kvm-1', request: asked(id, 'bob') }, none);
    expect(await end('op2')).toMatchObject({
      was: { until, by: 'ann' },
      note: `it was until ${until}, by ann: new memory`,
    });
    expect(await now()).toBeNull();
    expect(await end('op3')).toEqual({ was: null, note: 'it was in no maintenance' });
  });

  test('a repeated request declares it once, and has one record', async () => {
    const first = await declare('op1', 60, 'new memory');
    expect(await declare('op1', 60, 'new memory')).toEqual(first);
    expect(await listOperations(world.inventory, { host: 'kvm-1' })).toMatchObject([
      {
        id: 'op1',
        kind: 'maintenance',
        state: 'succeeded',
        by: 'ann',
        instance: null,
        result: { until: first.until },
      },
    ]);
    expect(await told(world.act.endMaintenance({ host: 'kvm-9', request: asked('op2') }, none))).toMatch(
      /^NotFound: there is no host "kvm-9"/,
    );
  });

  test('nothing is placed there, and the reason says until when, by whom and why', async () => {
    await guest(world, 'i1', 'kvm-2');
    const { until } = await declare('op1', 3600, 'new memory');
    const owner = await begin(world, 'op2', 'i1');
    const claim = (id: string) => world.act.claimHost(claimOf(id, { from: 'kvm-2' }), callOf(owner));
    expect(await told(claim('c1'))).toContain(`kvm-1: in maintenance until ${until} by ann: new memory`);
    await world.act.endMaintenance({ host: 'kvm-1', request: asked('op3') }, none);
    expect(await claim('c2')).toMatchObject({ host: { name: 'kvm-1' } });
  });
});

describe('a reboot', () => {
  const reboot = (id: string) =>
    world.act.beginHostOperation(
      { kind: 'reboot', host: 'kvm-1', input: { host: 'kvm-1' }, request: asked(id) },
      none,
    );

  test('is refused while the host is open, and teaches', async () => {
    expect(await told(reboot('op1'))).toMatchInlineSnapshot(`
      "WrongState: a host is rebooted only while it takes no new instances; kvm-1 is enabled and not in maintenance
      → drain it first: \`drover host drain kvm-1\`, or \`drover host reboot kvm-1\`, which does all of it"
    `);
    await declare('op2', 3600, 'new memory');
    expect(await reboot('op3')).toEqual({ outcome: 'began' });
    expect(await getOperation(world.inventory, 'op1')).toMatchObject({
      kind: 'reboot',
      state: 'refused',
      host: 'kvm-1',
    });
  });

  test('is refused while something runs there, may run there, or is on its way', async () => {
    await declare('op1', 3600, 'new memory');
    await guest(world, 'i1', 'kvm-1');
    await guest(world, 'i2', 'kvm-1', { state: 'stopped', powerState: 'shutoff' });
    await guest(world, 'i3', 'kvm-1', { state: 'error', powerState: 'running' });
    await guest(world, 'i4', 'kvm-1', { state: 'error', powerState: 'absent' });
    expect(await told(reboot('op2'))).toMatchInlineSnapshot(`
      "WrongState: a host is rebooted only when nothing runs there or is on its way; kvm-1 has web-i1 (active), web-i3 (error)
      → move them away or stop them first: \`drover host drain kvm-1\`, or \`drover host reboot kvm-1\`, which does all of it"
    `);
  });

  test('is refused for a claim of an instance that comes, and for a stopped one that is worked on', async () => {
    await guest(world, 'i1', 'kvm-2');
    await guest(world, 'i2', 'kvm-1', { state: 'stopped', powerState: 'shutoff' });
    const owner = await begin(world, 'op1', 'i1');
    await world.act.claimHost(claimOf('c1', { from: 'kvm-2', host: 'kvm-1' }), callOf(owner));
    await declare('op2', 3600, 'new memory');
    expect(await told(reboot('op3'))).toContain('kvm-1 has web-i1 (on its way there, live-migrate)');
    await world.act.releaseClaim({ claim: 'c1' }, callOf(owner));
    await begin(world, 'op4', 'i2', { kind: 'start', allowedStates: ['stopped'] });
    expect(await told(reboot('op5'))).toContain('kvm-1 has web-i2 (stopped, start)');
  });

  test('keeps the boot before it for whoever begins again, and is closed once', async () => {
    await declare('op1', 3600, 'new memory');
    await reboot('op2');
    expect(await world.act.keepBoot({ id: 'op2', boot: 'a' }, none)).toEqual({ boot: 'a' });
    expect(await reboot('op2')).toEqual({ outcome: 'began' });
    expect(await world.act.keepBoot({ id: 'op2', boot: 'b' }, none)).toEqual({ boot: 'a' });
    const end = (boot: string) =>
      world.act.finishHostOperation({ id: 'op2', state: 'succeeded', result: { boot }, error: null }, none);
    await end('b');
    await end('c');
    expect(await reboot('op2')).toEqual({ outcome: 'closed', result: { boot: 'b' }, error: null });
  });
});

describe('instances by where they were moved away from', () => {
  const moves = async (...list: [instance: string, from: string, to: string, state?: 'failed'][]) => {
    for (const [index, [instance, source, target, state]] of list.entries()) {
      const id = `m${index}`;
      const start = { id, operation: 'op', instance, source, target, storage: 'shared' as const };
      await migrationStarted(world.inventory, start);
      const numbers = { downtimeMs: null, totalMs: null, transferredBytes: null, reason: null };
      await migrationEnded(world.inventory, id, { state: state ?? 'completed', ...numbers });
      if (state === undefined) {
        await transact(world.inventory, (trx) =>
          trx.updateTable('instances').set({ host: target }).where('id', '=', instance).execute(),
        );
      }
    }
  };
  const away = async (from = 'kvm-1') =>
    (await listInstances(world.inventory, { moved_from: from })).map(({ id }) => id);

  test('the last that completed counts, and only where it put it', async () => {
    await host(world, 'kvm-3');
    for (const id of ['back', 'gone', 'on', 'stays', 'tried', 'twice']) await guest(world, id, 'kvm-1');
    await moves(
      ['gone', 'kvm-1', 'kvm-2'],
      ['back', 'kvm-1', 'kvm-2'],
      ['back', 'kvm-2', 'kvm-1'],
      ['on', 'kvm-1', 'kvm-2'],
      ['on', 'kvm-2', 'kvm-3'],
      ['tried', 'kvm-1', 'kvm-3', 'failed'],
      ['twice', 'kvm-1', 'kvm-2'],
      ['twice', 'kvm-2', 'kvm-1'],
      ['twice', 'kvm-1', 'kvm-3'],
      ['twice', 'kvm-3', 'kvm-1', 'failed'],
    );
    expect(await away()).toEqual(['gone', 'twice']);
    expect(await away('kvm-2')).toEqual(['back', 'on']);
    // What was put elsewhere without a migration, such as by a recovery, is not brought back.
    await transact(world.inventory, (trx) =>
      trx.updateTable('instances').set({ host: 'kvm-3' }).where('id', '=', 'gone').execute(),
    );
    expect(await away()).toEqual(['twice']);
    expect(await told(listInstances(world.inventory, { moved_from: 'kvm-9' }))).toMatch(/^NotFound/);
  });
});

test('hosts by name and by state', async () => {
  await recordProbe(world.inventory, 'kvm-2', { up: false, reason: 'silent' });
  const names = async (by: object) => (await world.act.listHosts(by, none)).map(({ name }) => name);
  expect(await names({ name: 'kvm-1' })).toEqual(['kvm-1']);
  expect(await names({ state: 'unknown' })).toEqual(['kvm-2']);
  expect(await names({ state: 'up', enabled: false })).toEqual([]);
});
