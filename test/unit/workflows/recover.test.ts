import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { getHost, setHostEnabled } from '../../../activities/inventory/hosts.js';
import { turnSwitch } from '../../../activities/recovery/switches.js';
import type { RecoveryMode } from '../../../model/incident.js';
import { VirtualCloud } from '../../../virtual/cloud.js';
import { until } from './cloud.js';
import { answer, asked, crash, fenceOf, incidentOf, logOf, recover, runsOn, strike } from './recoveries.js';

let cloud: VirtualCloud;
let web: string;
beforeEach(async () => {
  cloud = await VirtualCloud.open({ hosts: ['h1', 'h2', 'h3', 'h4'] });
  cloud.recovery.settleSeconds = 5;
  cloud.recovery.confirmSeconds = 20;
  web = await cloud.adopt('web-1', { host: 'h1' });
});
afterEach(() => cloud.close());

const enabled = async () => (await getHost(cloud.inventory, 'h1')).enabled;
const turn = (mode: RecoveryMode) =>
  turnSwitch(cloud.inventory, { zone: null, mode, reason: 'a test', by: 'ann', forSeconds: null });

describe('is it lost', () => {
  it('is brought back when it is', async () => {
    await crash(cloud);
    const ending = await recover(cloud).ending;
    expect(ending).toMatchObject({ end: 'done', result: { host: 'h1', state: 'recovered' } });
    expect(await fenceOf(cloud)).toMatchObject({ state: 'released', evidence: { verified: true } });
    expect(await enabled()).toBe(false);
    const [now] = await runsOn(cloud, web);
    expect(now).toMatch(/^h[234]$/);
    expect((await incidentOf(cloud)).instances).toMatchObject([
      { name: 'web-1', outcome: 'evacuated', host: now },
    ]);
  });

  it('a false alarm touches nothing', async () => {
    const ending = await recover(cloud).ending;
    expect(ending).toMatchObject({ end: 'done', result: { state: 'false-alarm' } });
    expect(await fenceOf(cloud)).toBeNull();
    expect(await enabled()).toBe(true);
    expect(await runsOn(cloud, web)).toEqual(['h1']);
    expect(await incidentOf(cloud)).toMatchObject({ state: 'false-alarm', endedAt: expect.any(String) });
  });

  it('one vantage point alone concludes nothing: a person is asked, who must be an administrator', async () => {
    await crash(cloud);
    await strike(cloud, { do: 'blind', vantage: 'north' });
    const handle = recover(cloud);
    expect(await asked(cloud)).toMatch(/not clear whether h1 is lost/);
    await expect(answer(handle, 'approve', { role: 'operator' })).rejects.toMatchObject({
      code: 'PermissionDenied',
    });
    await expect(answer(handle, 'approve', { role: 'automation' })).rejects.toMatchObject({
      code: 'PermissionDenied',
    });
    await expect(answer(handle, 'attest')).rejects.toMatchObject({ code: 'WrongState' });
    await answer(handle, 'approve', { comment: 'I see it' });
    expect(await handle.ending).toMatchObject({ result: { state: 'recovered' } });
    expect(await logOf(cloud)).toContain('approved: ann (admin) approved: I see it');
  });

  it('nobody has to answer once it is clear', async () => {
    await crash(cloud);
    await strike(cloud, { do: 'blind', vantage: 'north' });
    const handle = recover(cloud);
    await asked(cloud);
    await strike(cloud, { do: 'unblind', vantage: 'north' });
    expect(await handle.ending).toMatchObject({ result: { state: 'recovered' } });
    expect(await logOf(cloud)).toContain('waiting: nobody has to answer any more');
  });

  it('rejected, it is left alone, and open as before', async () => {
    await crash(cloud);
    await strike(cloud, { do: 'blind', vantage: 'north' });
    const handle = recover(cloud);
    await asked(cloud);
    await answer(handle, 'reject', { role: 'operator', comment: 'it reboots' });
    expect(await handle.ending).toMatchObject({ end: 'failed', error: { code: 'Rejected' } });
    expect(await incidentOf(cloud)).toMatchObject({ state: 'not-fenced' });
    expect(await enabled()).toBe(true);
  });

  it('one that hangs has guests that run: a person is asked', async () => {
    await strike(cloud, { do: 'libvirtd-kill', hosts: ['h1'] });
    const handle = recover(cloud);
    expect(await asked(cloud)).toMatch(/h1 hangs/);
    expect(await runsOn(cloud, web)).toEqual(['h1']);
    await answer(handle, 'approve');
    expect(await handle.ending).toMatchObject({ result: { state: 'recovered' } });
    expect(await runsOn(cloud, web)).not.toContain('h1');
  });

  it('one that hangs is fenced without asking where the configuration says so', async () => {
    cloud.recovery.hung = 'fence';
    await strike(cloud, { do: 'libvirtd-kill', hosts: ['h1'] });
    expect(await recover(cloud).ending).toMatchObject({ result: { state: 'recovered' } });
    expect(await runsOn(cloud, web)).not.toContain('h1');
  });
});

describe('may it be fenced', () => {
  it('an empty host is not, and is closed, so that nothing comes to it', async () => {
    await crash(cloud, 'h2');
    const ending = await recover(cloud, {}, 'h2').ending;
    expect(ending).toMatchObject({
      end: 'done',
      result: { state: 'not-fenced', says: expect.stringContaining('takes no new instances until') },
    });
    expect(await fenceOf(cloud, 'h2')).toBeNull();
    expect(await getHost(cloud.inventory, 'h2')).toMatchObject({
      enabled: false,
      disabledReason: expect.stringContaining('it is being recovered (incident'),
    });
  });

  it('an empty host that answers while it settles stays open', async () => {
    await strike(cloud, { do: 'partition', hosts: ['h2'] });
    const handle = recover(cloud, {}, 'h2');
    await cloud.clock.advance(6000);
    await strike(cloud, { do: 'restore', hosts: ['h2'] });
    expect(await handle.ending).toMatchObject({ result: { state: 'false-alarm' } });
    expect((await getHost(cloud.inventory, 'h2')).enabled).toBe(true);
  });

  it('disarmed, no incident is opened', async () => {
    await crash(cloud);
    await turn('disarmed');
    expect(await recover(cloud).ending).toMatchObject({ end: 'failed', error: { code: 'RecoveryHeld' } });
    await expect(incidentOf(cloud)).rejects.toThrow('there is no incident');
  });

  it('disarmed in the middle, it is not fenced', async () => {
    await crash(cloud);
    const handle = recover(cloud);
    await cloud.clock.advance(7000);
    await turn('disarmed');
    expect(await handle.ending).toMatchObject({ end: 'failed', error: { code: 'RecoveryHeld' } });
    expect(await incidentOf(cloud)).toMatchObject({ state: 'not-fenced' });
  });

  it('dry, it tells what it would do', async () => {
    await crash(cloud);
    await turn('dry');
    expect(await recover(cloud).ending).toMatchObject({
      end: 'done',
      result: { state: 'not-fenced', says: expect.stringContaining('web-1') },
    });
    expect(await fenceOf(cloud)).toBeNull();
  });

  it('manual, an operator approves the fence', async () => {
    await crash(cloud);
    await turn('manual');
    const handle = recover(cloud);
    expect(await asked(cloud)).toMatch(/in manual mode a person approves/);
    expect(handle.run.shown.at(-1)?.details).toContain('no sign of life of h1');
    await answer(handle, 'approve', { role: 'operator' });
    expect(await handle.ending).toMatchObject({ result: { state: 'recovered' } });
  });

  it('manual, a host that answers again needs nobody', async () => {
    await crash(cloud);
    await turn('manual');
    const handle = recover(cloud);
    await asked(cloud);
    await strike(cloud, { do: 'restore', hosts: ['h1'] });
    expect(await handle.ending).toMatchObject({ result: { state: 'false-alarm' } });
    expect(await enabled()).toBe(true);
  });

  it('the storm brake holds the second of two; an administrator may override it for that host', async () => {
    cloud.recovery.budget = { zone: 1, fleet: 1, windowSeconds: 3600 };
    const other = await cloud.adopt('web-2', { host: 'h2' });
    await crash(cloud);
    await crash(cloud, 'h2');
    const handle = recover(cloud);
    expect(await asked(cloud)).toMatch(/the storm brake holds it/);
    await expect(answer(handle, 'approve', { role: 'operator' })).rejects.toMatchObject({
      code: 'PermissionDenied',
    });
    await answer(handle, 'approve');
    expect(await handle.ending).toMatchObject({ result: { state: 'recovered' } });
    expect(await runsOn(cloud, other)).toEqual([]);
  });
});

describe('what proves that it is off', () => {
  const dead = (state: 'dead' | 'hang' | 'deaf' | 'wrong-password') =>
    strike(cloud, { do: 'bmc', hosts: ['h1'], state });

  it.each(['dead', 'hang', 'deaf', 'wrong-password'] as const)(
    'a BMC that is %s proves nothing: an administrator attests it',
    async (state) => {
      await crash(cloud);
      await dead(state);
      const handle = recover(cloud);
      // A deaf BMC knows that it is off already.
      if (state === 'deaf')
        return expect(await handle.ending).toMatchObject({ result: { state: 'recovered' } });
      expect(await asked(cloud)).toMatch(/nothing proves that h1 is off/);
      await expect(answer(handle, 'attest', { role: 'operator' })).rejects.toMatchObject({
        code: 'PermissionDenied',
      });
      await expect(answer(handle, 'attest', { role: 'automation' })).rejects.toMatchObject({
        code: 'PermissionDenied',
      });
      await expect(answer(handle, 'approve')).rejects.toMatchObject({ code: 'WrongState' });
      await answer(handle, 'attest', { comment: 'I pulled the plug' });
      expect(await handle.ending).toMatchObject({ result: { state: 'recovered' } });
      expect(await incidentOf(cloud)).toMatchObject({
        evidence: { kind: 'attested', by: 'ann', says: 'ann says that it is off: I pulled the plug' },
      });
      return undefined;
    },
  );

  it('a BMC that answers again is enough', async () => {
    await crash(cloud);
    await dead('dead');
    const handle = recover(cloud);
    await asked(cloud);
    await strike(cloud, { do: 'bmc', hosts: ['h1'], state: 'ok' });
    expect(await handle.ending).toMatchObject({ result: { state: 'recovered' } });
    expect(await fenceOf(cloud)).toMatchObject({ evidence: { kind: 'power-off' } });
  });

  it('a host that answers again is a false alarm, and takes instances as before', async () => {
    await strike(cloud, { do: 'partition', hosts: ['h1'] });
    await dead('dead');
    const handle = recover(cloud);
    await asked(cloud);
    await strike(cloud, { do: 'restore', hosts: ['h1'] });
    expect(await handle.ending).toMatchObject({ result: { state: 'false-alarm' } });
    expect(await runsOn(cloud, web)).toEqual(['h1']);
    expect(await enabled()).toBe(true);
  });

  it('rejected, the host stays closed, since a device may have cut it off', async () => {
    await crash(cloud);
    await dead('dead');
    const handle = recover(cloud);
    await asked(cloud);
    await answer(handle, 'reject');
    expect(await handle.ending).toMatchObject({ end: 'failed', error: { code: 'Rejected' } });
    expect(await incidentOf(cloud)).toMatchObject({ state: 'failed' });
    expect(await enabled()).toBe(false);
  });

  it('what a BMC says that lies is contradicted by the disks that are still written', async () => {
    await strike(cloud, { do: 'partition', hosts: ['h1'] });
    await strike(cloud, { do: 'bmc', hosts: ['h1'], state: 'lie' });
    const handle = recover(cloud);
    expect(await asked(cloud)).toMatch(/nothing proves/);
    expect((await logOf(cloud)).join('\n')).toMatch(
      /distrusted: h1\/1 \(bmc\) can't be believed: .* written/,
    );
    // Not even a person: it runs.
    await answer(handle, 'attest');
    await until(
      cloud,
      'it asks again',
      async () => (await logOf(cloud)).at(-1)?.startsWith('waiting') === true,
    );
    expect((await logOf(cloud)).join('\n')).toMatch(/ann said that it is off, but/);
    await crash(cloud);
    await answer(handle, 'attest');
    expect(await handle.ending).toMatchObject({ result: { state: 'recovered' } });
    expect((await runsOn(cloud, web)).length).toBe(1);
  });

  it('a person who disabled it before keeps that reason', async () => {
    await setHostEnabled(cloud.inventory, { host: 'h1', enabled: false, reason: 'a bad fan', by: 'bob' });
    await crash(cloud);
    await recover(cloud).ending;
    expect(await getHost(cloud.inventory, 'h1')).toMatchObject({ disabledReason: 'a bad fan' });
  });
});

it('what was being terminated when its host hung is not brought back: its terminate comes to its end', async () => {
  cloud.recovery.hung = 'fence';
  await strike(cloud, { do: 'hang', hosts: ['h1'] });
  const terminate = cloud.operation('instance.terminate', { instance: web });
  expect(await terminate.ending).toMatchObject({ error: { code: 'CleanupIncomplete' } });
  expect(await recover(cloud).ending).toMatchObject({ end: 'done', result: { state: 'recovered' } });
  expect((await incidentOf(cloud)).instances).toMatchObject([
    { name: 'web-1', outcome: 'skipped', says: 'it was being terminated, and is gone' },
  ]);
  expect(await runsOn(cloud, web)).toEqual([]);
  const kept = await cloud.inventory.kysely
    .selectFrom('instances')
    .select('state')
    .where('id', '=', web)
    .execute();
  expect(kept).toEqual([{ state: 'deleted' }]);
});
