/** What a time of a schedule comes to, in virtual time. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listRuns } from '../../../activities/inventory/runs.js';
import { listTrail } from '../../../activities/inventory/trail.js';
import { throwIssues } from '../../../config/yaml-file.js';
import type { ScheduledOrder } from '../../../model/schedule.js';
import { scheduleSchema } from '../../../model/triggers.js';
import { checkRunbook } from '../../../runbooks/language/check.js';
import { freeze } from '../../../runbooks/language/load.js';
import { VirtualCloud } from '../../../virtual/cloud.js';
import { runbookCatalogue } from '../../../workflows/runbook-catalogue.js';
import { timeOf } from '../../../workflows/scheduled-run.js';

let cloud: VirtualCloud;
let missing: VirtualCloud['loadScheduled'];
beforeEach(async () => {
  // A Monday, 10:00 in UTC.
  cloud = await VirtualCloud.open({ hosts: ['h1', 'h2'], start: Date.parse('2026-11-23T10:00:00Z') });
  missing = cloud.loadScheduled;
  book();
});
afterEach(() => cloud.close());

function book(more = ''): void {
  const head =
    'name: close\ndescription: Close a host.\ninputs: { host: { type: host }, why: { type: string } }\n';
  const step =
    "steps:\n  - id: close\n    uses: host.disable\n    with: { host: '${{ inputs.host }}', reason: '${{ inputs.why }}' }\n";
  const source = `${head}${more}${step}`;
  const { runbook, issues } = checkRunbook(source, 'close.yaml', runbookCatalogue());
  cloud.loadScheduled = () =>
    runbook === undefined ? throwIssues('InvalidRunbook', issues) : freeze(source, runbook);
}
const order = (trigger: object = {}, by: ScheduledOrder['by'] = null): ScheduledOrder => ({
  schedule: 'night',
  runbook: 'close',
  trigger: scheduleSchema.parse({
    name: 'night',
    every: '1h',
    inputs: { host: 'h1', why: '${{ schedule.name }} at ${{ schedule.time }}' },
    ...trigger,
  }),
  by,
});
const fire = (...given: Parameters<typeof order>) => cloud.scheduled(order(...given)).ending;
const refused = async (...given: Parameters<typeof order>): Promise<string> => {
  const ending = await fire(...given);
  return ending.end === 'failed' ? ending.error.code : ending.end;
};
const runs = () => listRuns(cloud.inventory, { limit: 10 });
const trail = async () =>
  (await listTrail(cloud.inventory)).map(
    ({ by, via, subject, outcome }) => `${by} ${via} ${subject} ${outcome}`,
  );

it('is a run of the text of now, with the inputs of its time', async () => {
  const ending = await fire();
  expect(await runs()).toMatchObject([
    {
      id: expect.any(String),
      by: 'schedule night',
      state: 'succeeded',
      inputs: { host: 'h1', why: 'night at 2026-11-23T10:00:00.000Z' },
    },
  ]);
  expect(ending).toMatchObject({ result: { run: (await runs())[0]?.id } });
  expect(await trail()).toEqual(['schedule night schedule close done']);
});

it('is nothing outside of its window, nor for a host in maintenance', async () => {
  const window = { days: ['sun'], from: '22:00', to: '04:00' };
  const skipped = (says: RegExp) => ({ result: { skipped: expect.stringMatching(says) } });
  expect(await fire({ window, timezone: 'Europe/Berlin' })).toMatchObject(
    skipped(/sun 22:00 to 04:00 Europe\/Berlin, and it is mon 11:00/),
  );
  await cloud.operation('host.maintenance', { host: 'h1', for: '1h', reason: 'disk' }).ending;
  expect(await fire()).toMatchObject(skipped(/h1 is in maintenance until .*, by test: disk/));
  expect(await runs()).toEqual([]);
  expect(await trail()).toEqual([]);
  await cloud.clock.advance(3_601_000);
  expect(await fire()).toMatchObject({ result: { run: expect.any(String) } });
});

it('fails in words where the runbook is gone, broken or takes something else, and that is recorded', async () => {
  book('on: { schedule: [] }\n');
  expect(await refused()).toBe('InvalidRunbook');
  cloud.loadScheduled = missing;
  expect(await refused()).toBe('NotFound');
  book();
  expect(await refused({ inputs: { host: 'h1' } })).toBe('InvalidInput');
  expect(await refused({ inputs: { host: 'h9', why: 'x' } })).toBe('NotFound');
  expect((await trail()).map((line) => line.split(' ').at(-1))).toEqual([
    'NotFound',
    'InvalidInput',
    'NotFound',
    'InvalidRunbook',
  ]);
});

it('asks permissions.run of whoever made it, as they are now; a runbook permits its own', async () => {
  book('permissions: { run: [ann] }\n');
  const by = (name: string) => ({ name, role: 'operator' as const });
  expect(await refused({}, by('ben'))).toBe('PermissionDenied');
  expect(await fire({}, by('ann'))).toMatchObject({ result: { run: expect.any(String) } });
  expect(await fire()).toMatchObject({ result: { run: expect.any(String) } });
});

it('fails as its run fails, and names it; a cancel reaches the run', async () => {
  const source =
    'name: fails\ndescription: Fails.\nsteps:\n  - id: stop\n    uses: instance.stop\n    with: { instance: nobody }\n';
  const { runbook } = checkRunbook(source, 'fails.yaml', runbookCatalogue());
  if (runbook) cloud.loadScheduled = () => freeze(source, runbook);
  const ending = await fire({ inputs: {} });
  const [run] = await runs();
  expect(run).toMatchObject({ state: 'failed' });
  expect(ending).toMatchObject({ end: 'failed', error: { details: { run: run?.id } } });

  const holds = source.replace(/uses:.*\n.*\n/, 'wait: 1h\n');
  const { runbook: holding } = checkRunbook(holds, 'holds.yaml', runbookCatalogue());
  if (holding) cloud.loadScheduled = () => freeze(holds, holding);
  const handle = cloud.scheduled(order({ inputs: {} }));
  await cloud.clock.advance(60_000);
  handle.cancel();
  expect(await handle.ending).toMatchObject({ end: 'failed', error: { code: 'Cancelled' } });
  expect((await runs()).map(({ state }) => state).toSorted()).toEqual(['cancelled', 'failed']);
});

it('knows the time that was meant from the id that Temporal makes', () => {
  expect(timeOf('local/schedule/close.night-2026-11-23T03:00:00Z')).toBe('2026-11-23T03:00:00Z');
  expect(timeOf('local/schedule/night')).toBeUndefined();
});
