/** SIGKILL of the worker on a real Temporal server, at each step of every operation, before it and after it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Trial } from './case.js';
import { keep, type Cell } from './matrix/cells.js';
import { judge } from './judge.js';
import { begin, openSite, type Site } from './kill/site.js';
import { waves, type Doomed } from './kill/waves.js';
import { addRoomyHost } from './place.js';
import type { HostRef } from '../../model/host.js';
import { subjectWorkflowId } from '../../model/addresses.js';
import { endOf } from '../temporal/fake-site.js';

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.close());

test('the worker is killed at each step of every operation: each comes to its end, as if nothing had been', async () => {
  const found = new Map<string, Cell>();
  for (const wave of await waves()) {
    for (const { doomed, met, wrong, end } of await die(wave)) {
      const row = doomed.operation;
      const cell = found.get(row) ?? { row, sweep: 'SIGKILL', wanted: 0, met: 0, outcomes: {}, wrong: [] };
      found.set(row, cell);
      cell.wanted += 1;
      cell.met += met ? 1 : 0;
      cell.outcomes[end] = (cell.outcomes[end] ?? 0) + 1;
      cell.wrong.push(...wrong);
    }
  }
  for (const cell of found.values()) keep(cell);
  const cells = [...found.values()];
  expect(cells.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(cells.filter(({ met, wanted }) => met < wanted)).toEqual([]);
}, 600_000);

interface Fate {
  doomed: Doomed;
  /** It was at its step when the worker died. */
  met: boolean;
  end: string;
  wrong: string[];
}

let tries = 0;
const hosts: HostRef[] = [];

async function setUp(doomed: Doomed): Promise<{ doomed: Doomed; trial: Trial }> {
  const { operation, one } = doomed;
  tries += 1;
  while (hosts.length < 3) hosts.push(await addRoomyHost(site.world, `h${hosts.length + 1}`));
  const [first, second, third] = hosts as [HostRef, HostRef, HostRef];
  const own = operation.startsWith('host.') ? await addRoomyHost(site.world, `own-${tries}`) : third;
  const place = { ...site.world, name: `it-${tries}`, hosts: [first, second, own] as const };
  const id = place.uuid();
  return { doomed, trial: { operation, one, place, given: await one.setUp(place), id, janitor } };
}

/** None must be needed: what a worker left, the next one takes up. */
const janitor = () => Promise.reject(new Error('something is open that a janitor would have to settle'));

/** One death of the worker, which meets each of them at its step. */
async function die(wave: Doomed[]): Promise<Fate[]> {
  const trials = [];
  for (const doomed of wave) trials.push(await setUp(doomed));
  const kills = trials.map(({ doomed, trial }) => ({
    workflowId: subjectWorkflowId(site.world.cloud, trial.operation, subjectOf(trial)),
    step: doomed.step,
    position: doomed.position,
  }));
  const dying = await site.employ(kills);
  const handles = await Promise.all(
    trials.map(({ trial }) => begin(site, trial.operation, { id: trial.id, input: trial.given.input })),
  );
  const parked = new Set(await dying.died());
  const next = await site.employ([]);
  const ends = await Promise.all(handles.map(endOf));
  const fates: Fate[] = [];
  for (const [index, { doomed, trial }] of trials.entries()) {
    const end = ends[index] ?? '';
    const { wrong } = await judge(trial, end, false);
    if (end !== (doomed.one.fails ?? 'done')) wrong.push(`it ended ${end}`);
    const told = `${doomed.operation}, ${doomed.one.title}, killed ${doomed.position} step ${doomed.step}`;
    const met = parked.has(kills[index]?.workflowId ?? '');
    fates.push({ doomed, end, met, wrong: wrong.map((what) => `${told}: ${what}`) });
  }
  await next.end();
  return fates;
}

const subjectOf = ({ operation, given: { input } }: Trial): string =>
  String(operation.startsWith('host.') ? input['host'] : input['instance']);
