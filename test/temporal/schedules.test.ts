/** Schedules on a real server: those of runbooks, kept in step by workers, and those that people make. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listRuns } from '../../activities/inventory/runs.js';
import { createToken } from '../../activities/inventory/tokens.js';
import { listTrail } from '../../activities/inventory/trail.js';
import type { Caller, Identity } from '../../client/caller.js';
import {
  createSchedule,
  deleteSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  triggerSchedule,
} from '../../client/schedules.js';
import { buildApp } from '../../gateway/app.js';
import { cronProblem } from '../../model/cron.js';
import { timeZoneProblem } from '../../model/time-zone.js';
import { syncSchedules } from '../../worker/runbook-schedules.js';
import { memoryFolder, until } from './helpers.js';
import { SimulatedCloud } from './simulated.js';
import { cloudName, openSite, type Site } from './site.js';

const books = memoryFolder();
const folders = [books.path];
let site: Site;
let cloud: SimulatedCloud;
let workers: Awaited<ReturnType<SimulatedCloud['serve']>>;

beforeAll(async () => {
  site = await openSite();
  cloud = await SimulatedCloud.open();
  cloud.folders = folders;
  workers = await cloud.serve(site);
});
afterAll(async () => {
  await workers.stop();
  await cloud.close();
  await site.close();
  books.remove();
});

const as = (name: string, role: Identity['role'] = 'operator'): Caller => ({
  cloud: cloudName,
  inventory: cloud.inventory,
  identity: { name, role },
  via: 'cli',
  async temporal() {
    const { client } = site;
    return { client, connection: client.connection as never, namespace: 'default' } as never;
  },
  say: () => undefined,
});
const step = "  - id: open\n    uses: host.enable\n    with: { host: '${{ inputs.host }}' }\n";
function book(name: string, on = '', steps = step): void {
  const head = `name: ${name}\ndescription: A test.\ninputs: { host: { type: host, default: h1 } }\n`;
  writeFileSync(join(books.path, `${name}.yaml`), `${head}${on}steps:\n${steps}`);
}
const sync = () => {
  const { client } = site;
  return syncSchedules({ client, inventory: cloud.inventory, cloud: cloudName, folders, searchable: false });
};
const runs = async (runbook: string) => listRuns(cloud.inventory, { runbook, limit: 100 });
const make = (runbook: string, trigger: Record<string, unknown>, by = as('ann')) =>
  createSchedule(by, { runbook, folders, trigger });
const show = (name: string) => getSchedule(as('ann'), name, folders);

test('on.schedule is made once by two workers, runs, stays paused when it is changed, and goes with its block', async () => {
  const on = (every: string) =>
    `on: { schedule: [{ name: often, every: ${every}, inputs: { host: h2 } }] }\n`;
  book('opens', on('1s'));
  const both = await Promise.all([sync(), sync()]);
  expect(both.flat()).toEqual(['create opens.often']);
  await until('it runs, and again', async () => {
    const all = await runs('opens');
    return all.filter(({ state }) => state === 'succeeded').length >= 2;
  });
  const [run] = await runs('opens');
  expect(run).toMatchObject({ by: 'schedule opens.often', inputs: { host: 'h2' } });
  await pauseSchedule(as('ann'), 'opens.often', 'a test');
  book('opens', on('1h'));
  expect(await sync()).toEqual(['update opens.often']);
  expect(await sync()).toEqual([]);
  expect(await show('opens.often')).toMatchObject({
    every: '1h',
    by: null,
    paused: true,
    note: 'paused by ann: a test',
    next: [],
    last: { state: expect.stringMatching(/succeeded|running/) },
  });
  await expect(deleteSchedule(as('ann'), 'opens.often')).rejects.toMatchObject({ code: 'WrongState' });
  await make('opens', { name: 'nightly', cron: '0 3 * * *', timezone: 'Europe/Berlin' });
  renameSync(books.path, `${books.path}-away`);
  expect(await sync()).toEqual([]);
  renameSync(`${books.path}-away`, books.path);
  book('opens', 'on: nonsense\n');
  expect(await sync()).toEqual([]);
  book('opens');
  await until('the list knows both', async () => (await listSchedules(as('ann'), folders)).length === 2);
  expect(await sync()).toEqual(['delete opens.often']);
  await expect(show('opens.often')).rejects.toMatchObject({ code: 'NotFound' });
  expect((await show('nightly')).next).toHaveLength(5);
  const lines = await listTrail(cloud.inventory, { subject: 'opens.often' });
  expect(lines.map(({ by, action, outcome }) => `${by} ${action} ${outcome}`)).toEqual([
    'runbooks schedule.delete done',
    'ann schedule.delete WrongState',
    'runbooks schedule.update done',
    'ann schedule.pause done',
    'runbooks schedule.create done',
  ]);
});

test('people make, pause, start and remove schedules; a runbook that is gone is told', async () => {
  book('shuts');
  const hourly = { name: 'hourly', every: '1h' };
  await expect(make('shuts', hourly, as('bot', 'automation'))).rejects.toMatchObject({
    code: 'PermissionDenied',
  });
  await expect(make('shuts', { ...hourly, inputs: { hosts: 'h1' } })).rejects.toMatchObject({
    code: 'InvalidInput',
  });
  await expect(make('shuts', { name: 'x', cron: '0 25 * * *' })).rejects.toMatchObject({
    code: 'InvalidInput',
  });
  expect(await make('shuts', hourly)).toMatchObject({ by: 'ann', paused: false, last: null, problem: null });
  await expect(make('shuts', hourly)).rejects.toMatchObject({ code: 'AlreadyExists' });
  await expect(triggerSchedule(as('eve', 'viewer'), 'hourly', folders)).rejects.toMatchObject({
    code: 'PermissionDenied',
  });
  await triggerSchedule(as('bot', 'automation'), 'hourly', folders);
  const last = await until('its run has ended', async () => {
    const view = await show('hourly');
    return view.last?.state === 'succeeded' ? view.last : undefined;
  });
  expect(await runs('shuts')).toMatchObject([{ id: last.run, by: 'schedule hourly' }]);
  await byHttp();
  await resumeSchedule(as('ben'), 'hourly', 'done');
  expect(await show('hourly')).toMatchObject({ paused: false, note: 'resumed by ben: done' });

  rmSync(join(books.path, 'shuts.yaml'));
  expect((await show('hourly')).problem).toBe('there is no runbook "shuts"');
  await site.client.schedule.getHandle(`${cloudName}/schedule/hourly`).trigger();
  await until('it fails in words', async () => {
    const { last: then } = await show('hourly');
    return then?.state === 'failed' && then.says === 'there is no runbook "shuts"';
  });
  await deleteSchedule(as('ann'), 'hourly');
  await expect(triggerSchedule(as('ann'), 'hourly', folders)).rejects.toMatchObject({ code: 'NotFound' });
});

/** The same by the API. */
async function byHttp(): Promise<void> {
  const temporal = () => as('ann').temporal();
  const app = await buildApp({
    cloud: cloudName,
    inventory: cloud.inventory,
    folders,
    uiOrigins: [],
    temporal,
  });
  const asked = async (role: 'viewer' | 'automation', url: string, body?: object) => {
    const given = { name: `${role}-${url.length}`, role, runbooks: null, createdBy: 'ann', expiresAt: null };
    const { secret } = await createToken(cloud.inventory, given);
    const headers = { authorization: `Bearer ${secret}` };
    const sent = body === undefined ? { method: 'GET' as const } : { method: 'POST' as const, payload: body };
    const answer = await app.inject({ url: `/api/v1/schedules${url}`, headers, ...sent });
    return { status: answer.statusCode, body: answer.json<unknown>() };
  };
  expect(await asked('viewer', '/hourly/pause', {})).toMatchObject({ status: 403 });
  expect(await asked('automation', '/hourly/pause', { comment: 'x' })).toMatchObject({ status: 200 });
  const [one, all] = [await asked('viewer', '/hourly'), await asked('viewer', '')];
  expect(one).toMatchObject({
    status: 200,
    body: { name: 'hourly', paused: true, last: { state: 'succeeded' } },
  });
  expect(all).toMatchObject({ status: 200, body: { items: expect.arrayContaining([one.body]) } });
  expect(await asked('automation', '/nobody/trigger', {})).toMatchObject({
    status: 404,
    body: { code: 'NotFound', message: 'there is no schedule "nobody"' },
  });
  expect(await asked('viewer', '/no%20name%00')).toMatchObject({ status: 404 });
  await app.close();
}

test('a time that comes while the run goes on is skipped, and so is one outside of the window', async () => {
  book('holds', '', '  - id: hold\n    wait: 1h\n');
  await make('holds', { name: 'again', every: '1s' });
  await until('times were skipped', async () => (await show('again')).skippedOverlap > 1);
  expect(await runs('holds')).toHaveLength(1);
  await expect(triggerSchedule(as('ann'), 'again', folders)).rejects.toMatchObject({ code: 'RunBusy' });
  const { last } = await show('again');
  expect(last).toMatchObject({ state: 'running' });
  await deleteSchedule(as('ann'), 'again');

  const hour = new Date(Date.now() + 3 * 3_600_000).toISOString().slice(11, 13);
  const window = { from: `${hour}:00`, to: `${hour}:30` };
  await make('opens', { name: 'windowed', every: '1s', window });
  await until('it was skipped', async () => {
    const view = await show('windowed');
    return view.last?.state === 'skipped' && /outside of its window/.test(view.last.says ?? '');
  });
  await expect(triggerSchedule(as('ann'), 'windowed', folders)).rejects.toMatchObject({ code: 'WrongState' });
  await deleteSchedule(as('ann'), 'windowed');
});

test('what drover takes as cron or zone, Temporal takes', async () => {
  const crons = ['0 3 * * sun', '*/7 2-4 1,15 jan-mar mon-fri', '5/10 * * * 0-7', '0 0 29 2 *', '60 * * * *'];
  const zones = ['Europe/Berlin', 'Asia/Kolkata', 'Etc/GMT+5', 'europe/berlin', '+01:00'];
  const takes = async (cron: string, timezone: string): Promise<boolean> => {
    const handle = site.client.schedule.create({
      scheduleId: 'tried',
      spec: { cronExpressions: [cron], timezone },
      action: { type: 'startWorkflow', workflowType: 'janitor', taskQueue: 'nowhere', args: [] },
    });
    return handle.then(
      async (made) => made.delete().then(() => true),
      () => false,
    );
  };
  for (const cron of crons)
    expect([cron, cronProblem(cron) === undefined]).toEqual([cron, await takes(cron, 'UTC')]);
  for (const zone of zones)
    expect([zone, timeZoneProblem(zone) === undefined]).toEqual([zone, await takes('0 3 * * *', zone)]);
});

test('times that came while the server was away are made up for', async () => {
  await make('opens', { name: 'after', every: '2s', overlap: 'allow-all' });
  await until('it runs', async () => (await runs('opens')).some(({ by }) => by === 'schedule after'));
  let from = 0;
  let to = 0;
  await site.away(async () => {
    from = Date.now();
    await delay(4500);
    to = Date.now();
  });
  const inside = ({ workflowId }: { workflowId: string }): boolean => {
    const meant = Date.parse(workflowId.slice(-20));
    return from <= meant && meant <= to;
  };
  await until('one of those times', async () => {
    const found = await site.client.schedule.getHandle(`${cloudName}/schedule/after`).describe();
    return found.info.recentActions.some(({ action }) => inside(action.workflow));
  });
  await deleteSchedule(as('ann'), 'after');
});
