/** Hosts with several fence devices: all of a level must say off, and the next level is asked where one does not. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { FenceAnswer, FenceDevice, Fencing } from '../../../activities/fencing/port.js';
import { VirtualCloud } from '../../../virtual/cloud.js';
import { answer, asked, fenceOf, logOf, recover, runsOn, strike } from './recoveries.js';

let cloud: VirtualCloud;
let web: string;
/** What was asked of each device. */
let calls: string[];

beforeEach(async () => {
  calls = [];
  cloud = await VirtualCloud.open({ hosts: ['h1', 'h2', 'h3'] });
  cloud.recovery.settleSeconds = 0;
  cloud.recovery.confirmSeconds = 20;
  web = await cloud.adopt('web-1', { host: 'h1' });
  // It lives on, cut off from all who look: its power goes only by its devices.
  await strike(cloud, { do: 'partition', hosts: ['h1'] });
});
afterEach(() => cloud.close());

const psuA = { name: 'h1/1 (psu-a)', level: 1 };
const psuB = { name: 'h1/2 (psu-b)', level: 1 };
const bmc = { name: 'h1/3 (bmc)', level: 2 };

/** The power goes with the last of the two supplies, or with the BMC. `dead`: these answer nothing. */
function supply(devices: readonly FenceDevice[], dead: readonly FenceDevice[] = []): void {
  const off = new Set<string>();
  cloud.fencing = (real): Fencing => {
    const isDead = (device: string) => dead.some(({ name }) => name === device);
    const silent: FenceAnswer = { ok: false, why: 'refused', error: 'it does not answer', seconds: 1 };
    return {
      ...real,
      devices: async () => [...devices],
      identify: async (_host, device) => ({
        binding: 'same',
        systemUuid: null,
        says: `${device} is its own`,
      }),
      status: async (host, device) => {
        if (!devices.some(({ name }) => name === device)) throw new Error(`there is no device ${device}`);
        if (isDead(device)) return silent;
        if (device === bmc.name) return real.status(host, device);
        return { ok: true, power: off.has(device) ? 'off' : 'on', seconds: 1 };
      },
      off: async (host, device) => {
        calls.push(device);
        if (isDead(device)) return silent;
        off.add(device);
        if (device === bmc.name || (off.has(psuA.name) && off.has(psuB.name))) return real.off(host, device);
        return { ok: true, power: 'off', seconds: 1 };
      },
    };
  };
}

it('both power supplies of a level are cut, and both stand for it', async () => {
  supply([psuA, psuB, bmc]);
  expect(await recover(cloud).ending).toMatchObject({ end: 'done', result: { state: 'recovered' } });
  expect(calls.toSorted()).toEqual([psuA.name, psuB.name]);
  expect(await fenceOf(cloud)).toMatchObject({
    evidence: { kind: 'power-off', device: `${psuA.name} and ${psuB.name}`, verified: true },
  });
  const [now] = await runsOn(cloud, web);
  expect(now).not.toBe('h1');
});

it('one supply that does not answer is not enough: the next level does it', async () => {
  supply([psuA, psuB, bmc], [psuB]);
  expect(await recover(cloud).ending).toMatchObject({ end: 'done', result: { state: 'recovered' } });
  expect(calls.slice(0, 2).toSorted()).toEqual([psuA.name, psuB.name]);
  expect(calls.at(-1)).toBe(bmc.name);
  expect(await fenceOf(cloud)).toMatchObject({ evidence: { device: bmc.name } });
  expect(await logOf(cloud)).toContain('fencing: it does not answer');
});

it('without any level that does it whole nothing is started: a person is asked, and may end it', async () => {
  supply([psuA, psuB, bmc], [psuB, bmc]);
  const handle = recover(cloud);
  expect(await asked(cloud)).toMatch(/nothing proves that h1 is off/);
  expect(await runsOn(cloud, web)).toEqual(['h1']);
  expect(await fenceOf(cloud)).toBeNull();
  await answer(handle, 'reject');
  expect(await handle.ending).toMatchObject({ end: 'failed', error: { code: 'Rejected' } });
  expect(await runsOn(cloud, web)).toEqual(['h1']);
});
