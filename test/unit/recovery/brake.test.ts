import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { transact } from '../../../activities/inventory/database.js';
import { takeFence } from '../../../activities/recovery/brake.js';
import { defaultRecoveryRules } from '../../../model/recovery.js';
import { makePackage } from '../../transpile.js';
import { runProcess } from '../inventory/processes.js';
import { guest, host } from '../inventory/world.js';
import { recoveryWorld, type RecoveryWorld } from './world.js';

let world: RecoveryWorld;
beforeEach(async () => {
  world = await recoveryWorld();
});
afterEach(() => world.close());

const minutes = (count: number): number => count * 60_000;
const take = (incident: string, name: string, approvedBy?: string) =>
  takeFence(world.rules(), { incident, host: name, approvedBy });

async function rack(zone: string, ...names: string[]): Promise<void> {
  for (const name of names) await host(world, name, { zone });
}

describe('the storm brake', () => {
  test('lets two hosts of a zone be fenced, and names the third with its numbers and the suspects', async () => {
    await rack('z1', 'a', 'b', 'c');
    for (const name of ['a', 'b']) {
      await world.silent(name);
      await world.incident(`i-${name}`, name, { domain: 'z1' });
      expect(await take(`i-${name}`, name)).toEqual({ granted: true });
    }
    await world.silent('c');
    await world.incident('i-c', 'c', { domain: 'z1' });
    expect(await take('i-c', 'c')).toEqual({
      granted: false,
      says:
        'c would take fence number 3 of zone z1, which has 2 for 1h (fenced a, b): ' +
        'so many at once may have one cause, such as the network',
      suspects: [],
    });
    world.clock.at += minutes(61);
    expect(await take('i-c', 'c')).toEqual({ granted: true });
  });

  test('of a storm not even the first host is fenced', async () => {
    await rack('z1', 'a', 'b');
    await rack('z2', 'c', 'd');
    await world.incident('i', 'a', { domain: 'z1' });
    await world.silent('a', 'b', 'c', 'd');
    expect(await take('i', 'a')).toMatchObject({
      granted: false,
      says: expect.stringContaining('number 4 of the fleet, which has 3 for 1h (suspected now b, c, d)'),
      suspects: ['b', 'c', 'd'],
    });
  });

  test('a person lets it pass, and it counts for those after', async () => {
    await rack('z1', 'a', 'b', 'c', 'd');
    await world.silent('a', 'b', 'c');
    await world.incident('i', 'a', { domain: 'z1' });
    expect(await take('i', 'a')).toMatchObject({ granted: false });
    expect(await take('i', 'a', 'ann')).toEqual({ granted: true });
    await world.incident('j', 'b', { domain: 'z1' });
    expect(await take('j', 'b')).toMatchObject({
      says: expect.stringContaining('fenced a; suspected now c'),
    });
  });

  test('repeated, it takes one and answers the same, whatever happened since', async () => {
    await rack('z1', 'a', 'b', 'c');
    await world.incident('i', 'a', { domain: 'z1' });
    expect(await take('i', 'a')).toEqual({ granted: true });
    await world.silent('b', 'c');
    expect(await take('i', 'a')).toEqual({ granted: true });
  });

  test.each([
    ['in maintenance', { maintenance_until: '2026-11-01T13:00:00.000Z' }],
    ['fenced already', { fence: '{}' }],
    ['never seen', { last_seen_at: null }],
    ['taken out of service, and empty', { enabled: 0 }],
  ])('what is silent but %s is no suspect', async (_, columns) => {
    await rack('z1', 'a', 'b', 'c');
    await world.silent('a', 'b', 'c');
    await world.incident('i', 'a', { domain: 'z1' });
    await world.set('b', columns);
    expect(await take('i', 'a')).toEqual({ granted: true });
  });

  test('a silent host that was disabled but still has instances is a suspect', async () => {
    await rack('z1', 'a', 'b', 'c');
    await guest(world, '1', 'b');
    await world.silent('a', 'b', 'c');
    await world.set('b', { enabled: 0 });
    await world.incident('i', 'a', { domain: 'z1' });
    expect(await take('i', 'a')).toMatchObject({ granted: false, suspects: ['b', 'c'] });
  });

  test('a host without a zone is a failure domain of its own, which is held when it comes and goes', async () => {
    for (const name of ['a', 'b', 'c']) await host(world, name);
    await world.silent('a', 'b', 'c');
    await world.incident('old', 'a', { takenAt: world.inventory.now(), endedAt: world.inventory.now() });
    await world.incident('i', 'a');
    // Two fences of its own domain, and with both suspects four of the fleet.
    expect(await take('i', 'a')).toMatchObject({ says: expect.stringContaining('number 4 of the fleet') });
    await world.set('b', { state: 'up' });
    expect(await take('i', 'a')).toEqual({ granted: true });
    await world.incident('next', 'a');
    expect(await take('next', 'a')).toMatchObject({
      says: expect.stringContaining('fence number 3 of a, which has 2'),
    });
  });

  test('an incident that there is not, or of another host, is refused', async () => {
    await host(world, 'a');
    await expect(take('none', 'a')).rejects.toMatchObject({ code: 'NotFound' });
  });
});

test('whatever comes in whatever order, no budget is ever exceeded within its window', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const zones = ['z1', 'z1', 'z1', 'z2', 'z2', null];
  for (const [index, name] of names.entries()) await host(world, name, { zone: zones[index] ?? null });
  const step = fc.record({
    host: fc.constantFrom(...names),
    wait: fc.integer({ min: 0, max: 40 }),
    silent: fc.subarray(names, { maxLength: 3 }),
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 15 }), async (steps) => {
      run += 1;
      await transact(world.inventory, async (trx) => {
        await trx.deleteFrom('incidents').execute();
        await trx.updateTable('hosts').set({ state: 'up' }).execute();
      });
      const taken: { at: number; domain: string }[] = [];
      for (const [index, one] of steps.entries()) {
        world.clock.at += minutes(one.wait);
        await transact(world.inventory, (trx) => trx.updateTable('hosts').set({ state: 'up' }).execute());
        await world.silent(...one.silent);
        const id = `${run}-${index}`;
        const zone = zones[names.indexOf(one.host)] ?? null;
        await world.incident(id, one.host, { domain: zone ?? '', endedAt: 'by then' });
        const { granted } = await take(id, one.host);
        const since = world.clock.at - minutes(60);
        const domain = zone ?? one.host;
        const lately = taken.filter(({ at }) => at > since);
        const suspects = one.silent.filter((name) => name !== one.host);
        const near = suspects.filter((name) => (zones[names.indexOf(name)] ?? name) === domain);
        const { zone: ofZone, fleet } = defaultRecoveryRules.budget;
        const fits =
          lately.length + suspects.length < fleet &&
          lately.filter((other) => other.domain === domain).length + near.length < ofZone;
        expect(granted).toBe(fits);
        if (granted) taken.push({ at: world.clock.at, domain });
      }
    }),
    { numRuns: 25 },
  );
});

test('four processes that take at once get exactly what the budget has', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `h${index}`);
  for (const [index, name] of names.entries()) {
    await host(world, name, { zone: `z${index % 3}` });
    await world.incident(`i-${name}`, name, { domain: `z${index % 3}`, endedAt: 'by then' });
  }
  const { folder } = world.place;
  makePackage(folder);
  const source = (process: number) => `
    import { takeFence } from './activities/recovery/brake.js';
    import { openInventory, closeInventory } from './activities/inventory/database.js';
    const opened = await openInventory(${JSON.stringify(world.place.at)});
    const inventory = { ...opened, now: () => ${JSON.stringify(world.inventory.now())} };
    const rules = ${JSON.stringify({ budget: { zone: 2, fleet: 5, windowSeconds: 3600 } })};
    const mine = ${JSON.stringify(names)}.filter((_, index) => index % 4 === ${process});
    const answers = await Promise.all(mine.map(async (host) =>
      [host, (await takeFence({ inventory, rules }, { incident: 'i-' + host, host })).granted]));
    await closeInventory(opened);
    console.log(JSON.stringify(answers));`;
  const answers = await Promise.all([0, 1, 2, 3].map((n) => runProcess(folder, `takers-${n}`, source(n))));
  const granted = (answers as [string, boolean][][]).flat().filter(([, yes]) => yes);
  expect(granted).toHaveLength(5);
  for (const zone of [0, 1, 2]) {
    const ofZone = granted.filter(([name]) => Number(name.slice(1)) % 3 === zone);
    expect(ofZone.length).toBeLessThanOrEqual(2);
  }
});
