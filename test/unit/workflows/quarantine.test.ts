import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getAudit } from '../../../activities/audit/store.js';
import { getHost } from '../../../activities/inventory/hosts.js';
import { listOperations } from '../../../activities/inventory/records.js';
import { seenRunning } from '../../../activities/recovery/return-seen.js';
import { turnSwitch } from '../../../activities/recovery/switches.js';
import { createSimulatedHypervisor } from '../../../activities/simulator/hypervisor.js';
import { refOf, type VirtualCloud } from '../../../virtual/cloud.js';
import { fault, openCloud } from './cloud.js';
import { autostart, comeBack, guestsOf, incident, lose, placeOn } from './returned.js';

let cloud: VirtualCloud;
let web1: string;
beforeEach(async () => {
  cloud = await openCloud();
  web1 = await cloud.adopt('web-1');
  await cloud.adopt('web-2');
  await autostart(cloud, web1);
});
afterEach(() => cloud.close());

const janitor = async () => (await cloud.janitor().ending) as unknown;
const told = async (phase: string): Promise<string[]> => {
  const rows = await cloud.inventory.kysely
    .selectFrom('incident_events')
    .selectAll()
    .orderBy('seq')
    .execute();
  return rows.filter((row) => row.incident === incident && row.phase === phase).map(({ says }) => says);
};
const readmissions = async () =>
  (await listOperations(cloud.inventory, { host: 'h1', limit: 20 })).filter(({ kind }) => kind === 'readmit');
const h1 = () => getHost(cloud.inventory, 'h1');

test('a fenced host that is silent is as it is to be', async () => {
  await lose(cloud, 'h1');
  expect(await janitor()).toMatchObject({ end: 'done', result: { unknown: ['h1'], repaired: [] } });
  expect(await told('returned')).toEqual([]);
});

test('one that answers is told once; nothing on it is touched', async () => {
  await lose(cloud, 'h1');
  await comeBack(cloud, 'h1');
  for (let times = 0; times < 3; times += 1)
    expect(await janitor()).toMatchObject({ result: { unknown: [], repaired: [], left: [] } });
  expect(await told('returned')).toEqual(['h1 answers again: it is quarantined until it is readmitted']);
  expect(await h1()).toMatchObject({ state: 'up', fence: { state: 'held' }, enabled: false });
  expect(await guestsOf(cloud, 'h1')).toEqual(['web-1 running', 'web-2 shutoff']);
  expect(await readmissions()).toEqual([]);
});

describe('one that runs what runs elsewhere by now', () => {
  const twoCopies = 'web-1 runs on h1, and its instance is on h2';
  const waitsFor = async () =>
    (await cloud.inventory.kysely.selectFrom('incidents').select('waits_for').executeTakeFirst())?.waits_for;
  const isOff = async () =>
    (
      await cloud.datacenter.transact((tx) =>
        tx.one<{ power: string }>(`select power from hosts where name = 'h1'`),
      )
    )?.power === 'off';
  beforeEach(async () => {
    await lose(cloud, 'h1');
    await placeOn(cloud, web1, 'h2');
  });

  test('is cut off again at once, told, and stays as it is', async () => {
    await comeBack(cloud, 'h1');
    expect(await janitor()).toMatchObject({
      result: { repaired: ['h1: h1 is off again: h1/1 (bmc) says off'], left: [] },
    });
    expect(await isOff()).toBe(true);
    expect(await janitor()).toMatchObject({ result: { unknown: ['h1'], repaired: [], left: [] } });
    expect(await told('two-copies')).toEqual([`two copies: ${twoCopies}; end them: drover host readmit h1`]);
    expect(await told('cut-off')).toEqual([
      `${twoCopies}: h1 is cut off again`,
      'h1 is off again: h1/1 (bmc) says off',
    ]);
    expect(await waitsFor()).toBeNull();
    expect(await h1()).toMatchObject({ fence: { state: 'held' }, enabled: false });
  });

  test('is cut off a few times an hour and not twice a minute: who switches it on again is a person’s to find out', async () => {
    const ends: boolean[] = [];
    for (let times = 0; times < 8; times += 1) {
      await comeBack(cloud, 'h1');
      await janitor();
      ends.push(await isOff());
      await cloud.clock.advance(30_000);
    }
    expect(ends.filter(Boolean)).toHaveLength(3);
    expect(ends.at(-1)).toBe(false);
    expect(await waitsFor()).toContain('h1 is not cut off: it was cut off 3 times already');
    await cloud.clock.advance(3_600_000);
    await janitor();
    expect(await isOff()).toBe(true);
    expect(await waitsFor()).toBeNull();
  });

  test.each([
    ['recovery is disarmed', 'disarmed'],
    ['recovery is in dry mode', 'dry'],
    ['a person approves each fence', 'manual'],
  ] as const)('waits for a person where %s', async (_, mode) => {
    await turnSwitch(cloud.inventory, { zone: null, mode, reason: 'a test', by: 'ann', forSeconds: null });
    await comeBack(cloud, 'h1');
    for (let times = 0; times < 2; times += 1)
      expect(await janitor()).toMatchObject({ result: { left: [expect.stringContaining('not cut off')] } });
    expect(await isOff()).toBe(false);
    expect(await waitsFor()).toMatch(
      /^two copies: web-1 runs on h1.* not cut off: the fleet is .*; cut its power, or end them: drover host readmit h1$/,
    );
    expect(await told('cut-off')).toHaveLength(1);
    expect(await cloud.operation('host.readmit', { host: 'h1' }).ending).toMatchObject({ end: 'done' });
    expect(await waitsFor()).toBeNull();
  });

  test.each([
    ['does not answer', 'dead'],
    ['lies', 'lie'],
  ] as const)('waits for a person where its device %s', async (_, state) => {
    await comeBack(cloud, 'h1');
    await fault(cloud, { do: 'bmc', hosts: ['h1'], state });
    await janitor();
    expect(await isOff()).toBe(false);
    expect(await waitsFor()).toContain('h1 is not cut off');
  });

  test('is left to a readmission that goes on', async () => {
    await fault(cloud, { do: 'slow', hosts: ['h1'], 'call-ms': 3000 });
    const readmission = cloud.operation('host.readmit', { host: 'h1' });
    await comeBack(cloud, 'h1');
    await janitor();
    expect(await readmission.ending).toMatchObject({ end: 'done', result: { ended: ['web-1'] } });
    expect(await told('cut-off')).toEqual([]);
  });
});

test('the same in an audit: it explains the host, and finds the second copies and no more of it', async () => {
  await lose(cloud, 'h1');
  await placeOn(cloud, web1, 'h2');
  const audit = async () => {
    const { id } = ((await cloud.audit().ending) as { result: { id: string } }).result;
    return getAudit(cloud.inventory, id);
  };
  expect((await audit()).scope.silent).toMatchObject([
    { host: 'h1', reason: expect.stringContaining('h1 is fenced since') },
  ]);
  await comeBack(cloud, 'h1');
  const { scope, findings } = await audit();
  expect(scope.silent).toEqual([
    { host: 'h1', reason: 'it is fenced and answers again: quarantined until `drover host readmit h1`' },
  ]);
  expect(findings.map(({ kind, seen }) => `${kind}: ${seen}`)).toEqual([
    'two-copies: web-1 runs on h1, which is fenced and came back; the record says h2',
  ]);
});

test('what a recovery asks of it: who runs there, whoever it is', async () => {
  const hypervisor = createSimulatedHypervisor(cloud.datacenter);
  const ask = () =>
    cloud.clock.drive(seenRunning({ inventory: cloud.inventory, hypervisor }, { host: refOf('h1') }));
  await lose(cloud, 'h1');
  expect(await ask()).toEqual({ answers: false, running: [] });
  await comeBack(cloud, 'h1');
  expect(await ask()).toMatchObject({ answers: true, running: [{ name: 'web-1', elsewhere: null }] });
  await placeOn(cloud, web1, 'h2');
  expect(await ask()).toMatchObject({ answers: true, running: [{ name: 'web-1', elsewhere: 'h2' }] });
});

test('another machine under its name is told, and nothing is asked of it', async () => {
  cloud.recovery.readmit = 'auto';
  await lose(cloud, 'h1');
  await comeBack(cloud, 'h1');
  await cloud.datacenter.transact((tx) => tx.run(`update hosts set system_uuid = 'other' where name = 'h1'`));
  await janitor();
  expect(await told('returned')).toEqual([expect.stringContaining('what answers as h1 is another machine')]);
  expect(await readmissions()).toEqual([]);
});

test('readmitted by rule once its incident has ended, with what was evacuated moved back', async () => {
  Object.assign(cloud.recovery, { readmit: 'auto', moveBack: true });
  await lose(cloud, 'h1', { state: 'waiting', open: true });
  // Its recovery is on its way, as far as the janitor is to know.
  await cloud.inventory.kysely.updateTable('incidents').set({ workflow_id: '' }).execute();
  await placeOn(cloud, web1, 'h2');
  await comeBack(cloud, 'h1');
  await janitor();
  expect(await readmissions()).toEqual([]);
  // Its recovery went on: until that has ended, a host that runs second copies is cut off again.
  await cloud.inventory.kysely.updateTable('incidents').set({ ended_at: cloud.inventory.now() }).execute();
  await comeBack(cloud, 'h1');
  expect(await janitor()).toMatchObject({ result: { repaired: ['h1: readmitted'] } });
  expect(await h1()).toMatchObject({ fence: null, enabled: true });
  expect(await cloud.instance(web1)).toMatchObject({ state: 'active', host: 'h1' });
});

test('one that failed by rule is tried again after ten minutes, not at every round', async () => {
  cloud.recovery.readmit = 'auto';
  await lose(cloud, 'h1');
  await placeOn(cloud, web1, 'h2');
  await comeBack(cloud, 'h1');
  await fault(cloud, { do: 'fail', call: 'destroy', host: 'h1', nth: 1, times: 1000, message: 'it said no' });
  expect(await janitor()).toMatchObject({
    result: { left: [expect.stringContaining('h1 stays quarantined')] },
  });
  await cloud.clock.advance(60_000);
  await janitor();
  expect(await readmissions()).toHaveLength(1);
  await cloud.datacenter.transact((tx) => tx.run('delete from faults'));
  await cloud.clock.advance(600_000);
  // Cut off meanwhile, since nobody else ended the second copy.
  expect(await told('cut-off')).toHaveLength(2);
  await comeBack(cloud, 'h1');
  expect(await janitor()).toMatchObject({ result: { repaired: ['h1: readmitted'] } });
});
