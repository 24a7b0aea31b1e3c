/** Who does the work of a recovery, and what becomes of it while others are away. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listIncidents } from '../../../activities/inventory/incidents.js';
import { runbookCatalogue } from '../../../client/catalogue.js';
import { isRecoveryRun } from '../../../model/recovery-run.js';
import { loadRunbook } from '../../../runbooks/language/load.js';
import { VirtualCloud, workerPlaces } from '../../../virtual/cloud.js';
import { placeOfVantage } from '../../../virtual/places.js';
import { giveFault } from '../../../activities/simulator/faults.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await VirtualCloud.open({ hosts: ['h1', 'h2', 'h3'] });
  await cloud.adopt('web-1', { host: 'h1' });
});
afterEach(() => cloud.close());

const crash = () => cloud.datacenter.transact((tx) => giveFault(tx, { do: 'crash', hosts: ['h1'] }));
const recover = () => cloud.operation('host.recover', { host: 'h1', reason: 'a test' });

test('a recovery needs no control worker', async () => {
  await crash();
  cloud.temporal.killWorker(workerPlaces.control);
  expect(await recover().ending).toMatchObject({ end: 'done', result: { state: 'recovered' } });
  expect(await cloud.instance('web-1')).toMatchObject({ state: 'active' });
});

test('and waits for a recovery worker while there is none', async () => {
  await crash();
  cloud.temporal.killWorker(workerPlaces.recovery);
  const handle = recover();
  await cloud.clock.advance(60_000);
  expect(handle.run.open).toBe(true);
  cloud.temporal.startWorker(workerPlaces.recovery);
  expect(await handle.ending).toMatchObject({ end: 'done', result: { state: 'recovered' } });
});

test('a vantage point that does not run has said nothing', async () => {
  await crash();
  cloud.temporal.killWorker(placeOfVantage('north@sim'));
  const { run } = recover();
  await cloud.clock.advance(20_000);
  expect(run.open).toBe(true);
  expect(run.calls).toContain('testify at north');
  const [incident] = await listIncidents(cloud.inventory, {});
  expect(incident?.verdict).toMatchObject({
    verdict: 'unclear',
    says: expect.stringContaining(
      'north said nothing (no worker of the vantage point north took the work',
    ) as string,
  });
});

test.each([
  ['host-down', true],
  ['drain-host', false],
])('runbook %s is a recovery: %s', async (name, is) => {
  expect(isRecoveryRun(await loadRunbook(name, [], runbookCatalogue()))).toBe(is);
});
