/** What every driver of the fencing port must do alike. Each BMC here is one of a host that another look can judge, too. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { callOf } from '../call.js';
import { createFencingActivities } from '../../activities/fencing/activities.js';
import type { Fencing } from '../../activities/fencing/port.js';
import type { Inventory } from '../../activities/inventory/database.js';
import type { HostRef } from '../../model/host.js';

export type BmcFault = 'ok' | 'dead' | 'hang' | 'wrong-password' | 'deaf' | 'lie' | 'swapped';

export interface FencingWorld {
  fencing: Fencing;
  /** The second one is whose power a swapped device of the first has. */
  hosts: [HostRef & { systemUuid: string }, HostRef & { systemUuid: string }];
  /** Changes the devices of the first host. */
  bmc(fault: BmcFault): Promise<void>;
  /** Whether the host really has power, by another way than its devices. */
  isOn(host: string): Promise<boolean>;
  /** Gives a host its power without its devices. */
  boot(host: string): Promise<void>;
  close(): Promise<void>;
}

const call = callOf(null);

export function fencingContract(driver: string, open: () => Promise<FencingWorld>): void {
  describe(`the fencing contract: ${driver}`, () => {
    let world: FencingWorld;
    let fencing: Fencing;
    let one: FencingWorld['hosts'][0];
    let two: FencingWorld['hosts'][1];
    let device: string;

    beforeAll(async () => {
      world = await open();
      ({ fencing } = world);
      [one, two] = world.hosts;
      device = (await fencing.devices(one))[0]?.name ?? 'none';
    });
    afterEach(async () => {
      await world.bmc('ok');
      for (const { name } of world.hosts) if (!(await world.isOn(name))) await world.boot(name);
    });
    afterAll(() => world.close());

    it('lists the devices of a host by their levels, and none of a host that has none', async () => {
      const levels = (await fencing.devices(one)).map(({ level }) => level);
      expect(levels.length).toBeGreaterThan(0);
      expect(levels).toEqual(levels.toSorted((a, b) => a - b));
      const nobody = one.uri.replace('host1', 'nobody');
      expect(await fencing.devices({ name: 'nobody', uri: nobody })).toEqual([]);
    });

    it('tells whose power it has, and the power; both change nothing', async () => {
      expect(await fencing.identify(one, device, one.systemUuid)).toMatchObject({
        binding: 'same',
        systemUuid: one.systemUuid,
      });
      expect(await fencing.identify(one, device, two.systemUuid)).toMatchObject({ binding: 'other' });
      expect(await fencing.identify(one, device, null)).toMatchObject({ binding: 'unknown' });
      expect(await fencing.status(one, device)).toMatchObject({ ok: true, power: 'on' });
      expect(await world.isOn(one.name)).toBe(true);
    });

    it('cuts the power for good, says so again and again, and gives it back when asked', async () => {
      expect(await fencing.off(one, device)).toMatchObject({ ok: true, power: 'off' });
      expect(await world.isOn(one.name)).toBe(false);
      expect(await world.isOn(two.name)).toBe(true);
      expect(await fencing.status(one, device)).toMatchObject({ ok: true, power: 'off' });
      expect(await fencing.off(one, device)).toMatchObject({ ok: true, power: 'off' });
      expect(await world.isOn(one.name)).toBe(false);
      expect(await fencing.on(one, device)).toMatchObject({ ok: true, power: 'on' });
      expect(await world.isOn(one.name)).toBe(true);
    });

    it('says that it is refused with a wrong password, and is not bound', async () => {
      await world.bmc('wrong-password');
      expect(await fencing.identify(one, device, one.systemUuid)).toMatchObject({ binding: 'unknown' });
      expect(await fencing.status(one, device)).toMatchObject({ ok: false, why: 'refused' });
      expect(await fencing.off(one, device)).toMatchObject({ ok: false, why: 'refused' });
      expect(await world.isOn(one.name)).toBe(true);
    });

    it('gives a device up that never answers', async () => {
      await world.bmc('hang');
      const answer = await fencing.off(one, device);
      expect(answer).toMatchObject({ ok: false });
      if (!answer.ok) expect(['hung', 'unreachable']).toContain(answer.why);
      expect(await world.isOn(one.name)).toBe(true);
    });

    it('says that a dead device can not be reached', async () => {
      await world.bmc('dead');
      expect(await fencing.status(one, device)).toMatchObject({ ok: false, why: 'unreachable' });
    });

    it('does not believe a device that says yes and does nothing', async () => {
      await world.bmc('deaf');
      expect(await fencing.off(one, device)).toMatchObject({ ok: false, why: 'deaf' });
      expect(await world.isOn(one.name)).toBe(true);
    });

    it('is deceived by one that lies: another witness must contradict it', async () => {
      await world.bmc('lie');
      expect(await fencing.off(one, device)).toMatchObject({ ok: true, power: 'off' });
      expect(await fencing.status(one, device)).toMatchObject({ ok: true, power: 'off' });
      expect(await world.isOn(one.name)).toBe(true);
    });

    it('never cuts by a device that has the power of another host', async () => {
      await world.bmc('swapped');
      const { fenceOff } = createFencingActivities({ fencing, inventory: {} as Inventory });
      const ask = { host: one, device, systemUuid: one.systemUuid, incident: 'contract' };
      expect(await fenceOff(ask, call)).toMatchObject({
        binding: { binding: 'other', systemUuid: two.systemUuid },
        answer: { ok: false, why: 'refused' },
      });
      for (const { name } of world.hosts) expect(await world.isOn(name)).toBe(true);
    });

    it('never cuts by a device of which nobody knows whose power it has, and says how to change that', async () => {
      const { fenceOff } = createFencingActivities({ fencing, inventory: {} as Inventory });
      const ask = { host: one, device, systemUuid: null, incident: 'contract' };
      expect(await fenceOff(ask, call)).toMatchObject({
        binding: { binding: 'unknown' },
        answer: { ok: false, why: 'refused', error: expect.stringContaining('trust_binding: true') },
      });
      expect(await world.isOn(one.name)).toBe(true);
    });
  });
}
