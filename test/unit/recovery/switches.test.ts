import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readSwitches, recoveryMode, turnSwitch } from '../../../activities/recovery/switches.js';
import type { RecoveryMode } from '../../../model/incident.js';
import { host } from '../inventory/world.js';
import { recoveryWorld, type RecoveryWorld } from './world.js';

let world: RecoveryWorld;
beforeEach(async () => {
  world = await recoveryWorld();
  await host(world, 'a', { zone: 'z1' });
  await host(world, 'b', { zone: 'z2' });
  await host(world, 'c');
});
afterEach(() => world.close());

const turn = (mode: RecoveryMode, zone: string | null = null, forSeconds: number | null = null) =>
  turnSwitch(world.inventory, { zone, mode, reason: `why ${mode}`, by: 'ann', forSeconds });
const mode = async (name: string) => (await recoveryMode(world.inventory, { host: name })).mode;
const modes = async () => [await mode('a'), await mode('b'), await mode('c')];

describe('the switches of recovery', () => {
  test('armed until one is turned', async () => {
    expect(await recoveryMode(world.inventory, { host: 'a' })).toEqual({
      mode: 'armed',
      says: 'armed: no switch was turned',
    });
  });

  test('of the fleet and the zone the stricter holds, whichever was turned last', async () => {
    await turn('disarmed', 'z1');
    expect(await modes()).toEqual(['disarmed', 'armed', 'armed']);
    await turn('manual');
    expect(await modes()).toEqual(['disarmed', 'manual', 'manual']);
    await turn('armed', 'z1');
    expect(await modes()).toEqual(['manual', 'manual', 'manual']);
    await turn('dry');
    await turn('manual', 'z2');
    expect(await modes()).toEqual(['dry', 'dry', 'dry']);
  });

  test('one with an end covers the one before, which holds again after', async () => {
    await turn('manual');
    await turn('disarmed', null, 3600);
    expect(await recoveryMode(world.inventory, { host: 'a' })).toEqual({
      mode: 'disarmed',
      says: 'the fleet is disarmed until 2026-11-01T13:00:00.000Z by ann at 2026-11-01T12:00:00.000Z: why disarmed',
    });
    world.clock.at += 3_600_000;
    expect(await mode('a')).toBe('manual');
    await turn('armed');
    expect(await mode('a')).toBe('armed');
  });

  test('every turn stays, with who and why; status names zones that no switch was turned for', async () => {
    await turn('disarmed', 'z1');
    await turn('armed', 'z1');
    const { fleet, zones, history } = await readSwitches(world.inventory);
    expect(fleet.mode).toBe('armed');
    expect(zones.map(({ zone, mode: of }) => `${zone} ${of}`)).toEqual(['z1 armed', 'z2 armed']);
    expect(history.map(({ zone, mode: of, by, reason }) => [zone, of, by, reason])).toEqual([
      ['z1', 'armed', 'ann', 'why armed'],
      ['z1', 'disarmed', 'ann', 'why disarmed'],
    ]);
  });

  test('a zone that no host names is refused: a mistyped one would leave the right one armed', async () => {
    await expect(turn('disarmed', 'z3')).rejects.toMatchObject({
      code: 'NotFound',
      details: { zones: ['z1', 'z2'] },
    });
  });
});
