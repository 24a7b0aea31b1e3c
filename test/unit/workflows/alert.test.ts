import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runbookCatalogue } from '../../../client/catalogue.js';
import { listIncidents } from '../../../activities/inventory/incidents.js';
import { listRuns } from '../../../activities/inventory/runs.js';
import type { FrozenRunbook } from '../../../model/runbook.js';
import { checkRunbook } from '../../../runbooks/language/check.js';
import { freeze, loadRunbook } from '../../../runbooks/language/load.js';
import { VirtualCloud } from '../../../virtual/cloud.js';
import { Handle } from '../../../virtual/handle.js';
import type { AlertWord } from '../../../workflows/alert.js';
import { until } from './cloud.js';
import { answer, asked, crash, fenceOf, incidentOf, logOf, recover, runsOn, strike } from './recoveries.js';

let cloud: VirtualCloud;
let web: string;
let plan: FrozenRunbook;
beforeEach(async () => {
  cloud = await VirtualCloud.open({ hosts: ['h1', 'h2', 'h3', 'h4'] });
  Object.assign(cloud.recovery, { settleSeconds: 5, confirmSeconds: 120 });
  web = await cloud.adopt('web-1', { host: 'h1' });
  plan = await loadRunbook('host-down', [], runbookCatalogue());
});
afterEach(() => cloud.close());

const startsAt = '2026-01-01T00:00:00.000Z';
const later = '2026-01-01T01:00:00.000Z';
const tell = (word: Partial<AlertWord> = {}, of: FrozenRunbook = plan): Promise<Handle> => {
  const usual = { fingerprint: 'a', status: 'firing', startsAt, label: 'HostDown h1' } as const;
  const inputs = { host: 'h1', reason: 'the alert HostDown' };
  return cloud.alert(of, inputs, { ...usual, digest: of.digest, ...word });
};
const runs = async () => (await listRuns(cloud.inventory, { limit: 50 })).map(({ state }) => state);
const minutes = (count: number) => cloud.clock.advance(count * 60_000);
const runsAre = (...states: string[]) =>
  until(cloud, `runs are ${states.join()}`, async () => (await runs()).join() === states.join());

describe('one thing, however often it is told', () => {
  it('is recovered once, remembered while it fires, and over when it is resolved', async () => {
    await crash(cloud);
    const handle = await tell();
    for (let times = 0; times < 100; times += 1) await tell({ fingerprint: times % 2 ? 'a' : 'b' });
    await runsAre('succeeded');
    expect(await runsOn(cloud, web)).toHaveLength(1);
    for (let times = 0; times < 10; times += 1) {
      await minutes(5);
      await tell();
    }
    expect(await runs()).toEqual(['succeeded']);
    expect(await listIncidents(cloud.inventory, {})).toHaveLength(1);
    await tell({ status: 'resolved' });
    expect(handle.run.open).toBe(true);
    await tell({ status: 'resolved', fingerprint: 'b' });
    expect(await handle.ending).toMatchObject({
      result: { note: expect.stringMatching(/fires any more; run .* succeeded/) },
    });
  });

  it('which fires anew after its end is recovered anew', async () => {
    await tell();
    await runsAre('succeeded');
    await tell({ startsAt: later });
    await runsAre('succeeded', 'succeeded');
  });

  it('words that overtake each other change nothing', async () => {
    await tell({ startsAt: later });
    await runsAre('succeeded');
    await tell({ startsAt });
    const handle = await tell({ startsAt, status: 'resolved' });
    expect(handle.run.open).toBe(true);
    await tell({ startsAt: later, status: 'resolved' });
    expect(await handle.ending).toMatchObject({ end: 'done' });
    // The firing that its own end has overtaken.
    const after = await tell({ startsAt: later, status: 'resolved' });
    await tell({ startsAt: later });
    await after.ending;
    expect(await runs()).toEqual(['succeeded']);
  });

  it('goes on with a new history, and knows what it knew', async () => {
    const handle = await tell();
    await runsAre('succeeded');
    for (let times = 0; times < 2100; times += 1) await tell();
    await minutes(1);
    expect(handle.run.open).toBe(true);
    expect(await runs()).toEqual(['succeeded']);
    await tell({ startsAt: later });
    await runsAre('succeeded', 'succeeded');
  });

  it('that nobody speaks of any more is forgotten', async () => {
    const handle = await tell();
    await runsAre('succeeded');
    await minutes(27 * 60);
    expect(handle.run.open).toBe(false);
  });
});

describe('a run that fails', () => {
  const failing = (text: string): FrozenRunbook => {
    const source = `name: failing\ndescription: ${text}\nsteps:\n  - id: stop\n    uses: instance.stop\n    with: { instance: nobody }\n`;
    const { runbook, issues } = checkRunbook(source, 'failing.yaml', runbookCatalogue());
    if (runbook === undefined) throw new Error(JSON.stringify(issues));
    return freeze(source, runbook);
  };

  it('is tried again by a repeat, after growing pauses', async () => {
    const of = failing('One.');
    const begun: number[] = [];
    for (let minute = 0; minute < 40; minute += 1) {
      await tell({}, of);
      await cloud.clock.advance(1000);
      if ((await runs()).length > begun.length) begun.push(minute);
      await cloud.clock.advance(59_000);
    }
    expect(begun).toEqual([0, 1, 3, 7, 15, 31]);
    expect((await runs()).every((state) => state === 'failed')).toBe(true);
  });

  it('is not tried again without a repeat, and a changed runbook gets its try at once', async () => {
    const first = await tell({}, failing('One.'));
    await runsAre('failed');
    await minutes(60);
    expect(await runs()).toEqual(['failed']);
    const changed = failing('Two.');
    await tell({}, changed);
    expect(await first.ending).toMatchObject({ result: { note: expect.stringMatching(/was changed/) } });
    await tell({}, changed);
    await runsAre('failed', 'failed');
  });
});

describe('resolved', () => {
  it('while it is confirmed, it is a false alarm, and nothing was done', async () => {
    await crash(cloud);
    await strike(cloud, { do: 'blind', vantage: 'north' });
    await tell();
    expect(await asked(cloud)).toMatch(/not clear whether h1 is lost/);
    const handle = await tell({ status: 'resolved' });
    await runsAre('succeeded');
    expect(await incidentOf(cloud)).toMatchObject({ state: 'false-alarm' });
    expect(await logOf(cloud)).toContain('resolved: the alert was resolved: HostDown h1');
    expect(await fenceOf(cloud)).toBeNull();
    expect(await handle.ending).toMatchObject({ end: 'done' });
  });

  it.each([
    ['one alert of two', async () => undefined, false],
    ['somebody else asked for it, too', async () => void recover(cloud, { by: 'ann' }), true],
  ])('does not end it: %s', async (_title, alsoAsk, all) => {
    await crash(cloud);
    await strike(cloud, { do: 'blind', vantage: 'north' });
    await tell();
    await tell({ fingerprint: 'b' });
    await asked(cloud);
    await alsoAsk();
    await minutes(1);
    await tell({ status: 'resolved' });
    if (all) await tell({ status: 'resolved', fingerprint: 'b' });
    await minutes(5);
    expect(await incidentOf(cloud)).toMatchObject({ state: 'waiting' });
    if (all) expect((await logOf(cloud)).join('\n')).toMatch(/resolved: .*; it goes on: somebody else asked/);
    await strike(cloud, { do: 'unblind', vantage: 'north' });
    await runsAre('succeeded');
    expect(await incidentOf(cloud)).toMatchObject({ state: 'recovered' });
  });

  it('after the host was confirmed lost, it changes nothing', async () => {
    await crash(cloud);
    await tell();
    await until(cloud, 'it is confirmed', async () => (await logOf(cloud)).join().includes('settling:'));
    await tell({ status: 'resolved' });
    await runsAre('succeeded');
    expect(await incidentOf(cloud)).toMatchObject({ state: 'recovered' });
    expect((await logOf(cloud)).join('\n')).toMatch(/it goes on: the host was confirmed lost before/);
  });
});

describe('ended from outside', () => {
  it.each([
    ['cancelled', async (recovery: Handle) => recovery.cancel()],
    ['rejected', async (recovery: Handle) => void (await answer(recovery, 'reject'))],
  ])('a recovery that a person %s is not begun again behind their back', async (_how, end) => {
    await crash(cloud);
    await strike(cloud, { do: 'blind', vantage: 'north' });
    await tell();
    await asked(cloud);
    const recovery = cloud.temporal.newest(`virtual/recovery/h1`);
    if (recovery === undefined) throw new Error('no recovery runs');
    await end(new Handle(cloud.temporal, recovery, ''));
    await until(cloud, 'the run ended', async () => (await runs())[0] !== 'running');
    await minutes(10);
    const handle = await tell();
    await minutes(10);
    expect(await runs()).toHaveLength(1);
    expect(handle.run.shown.at(-1)?.details).toMatch(/ended by a person; nothing more is done/);
  });

  it('its own cancel ends the run', async () => {
    await crash(cloud);
    await strike(cloud, { do: 'blind', vantage: 'north' });
    const handle = await tell();
    await asked(cloud);
    handle.cancel();
    expect(await handle.ending).toMatchObject({ end: 'failed', error: { code: 'Cancelled' } });
    expect(await runs()).toEqual(['cancelled']);
  });
});
