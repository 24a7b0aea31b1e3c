/** SIGKILL of the worker on a real Temporal server, at each step of every operation and run, before it or after it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endOf } from '../../temporal/site.js';
import { keep, type Cell } from '../matrix/cells.js';
import { rows } from '../rows.js';
import { operationAt, placesOf, type Doomed } from './doomed.js';
import { openSite, type Site } from './site.js';
import { waves } from './waves.js';

let site: Site;
let placeFor: ReturnType<typeof placesOf>;

/** Each position in a process and on a server of its own, since most of it is to wait for who died. */
export function proveKills(position: Doomed['position']): void {
  beforeAll(async () => {
    site = await openSite();
    placeFor = placesOf(site);
  });
  afterAll(() => site?.close());

  test(`the worker is killed ${position} each step of all operations and runs: each ends as if nothing had been`, async () => {
    const found = new Map<string, Cell>();
    for (const wave of await waves(position)) {
      for (const { row, met, wrong, end } of await die(wave)) {
        const cell = found.get(row) ?? { row, sweep: 'SIGKILL', wanted: 0, met: 0, outcomes: {}, wrong: [] };
        found.set(row, cell);
        cell.wanted += 1;
        cell.met += met ? 1 : 0;
        cell.outcomes[end] = (cell.outcomes[end] ?? 0) + 1;
        cell.wrong.push(...wrong);
      }
    }
    const cells = [...found.values()];
    for (const cell of cells) keep(cell, position);
    expect(cells.flatMap(({ wrong }) => wrong)).toEqual([]);
    expect(cells.filter(({ met, wanted }) => met < wanted)).toEqual([]);
  }, 1_800_000);
}

/** The sweep sees what is wrong: here a worker on purpose. */
export function proveMutant(): void {
  test('a mutant: a reboot whose worker died reboots again', async () => {
    const row = (await rows()).find(({ operation }) => operation === 'host.reboot');
    const one = row?.cases.find(({ fails }) => fails === undefined);
    if (!one) throw new Error('no case of a reboot that goes well');
    const at = { row: 'host.reboot', title: 'an empty one', step: 5, position: 'after' as const };
    const doomed: Doomed = { ...at, prepare: (place) => operationAt('host.reboot', one, place) };
    const [fate] = await die([doomed], 'reboots again');
    expect(fate).toMatchObject({ met: true });
    expect(fate?.wrong.length).toBeGreaterThan(0);
  });
}

interface Fate {
  row: string;
  /** It was at its step when the worker died. */
  met: boolean;
  end: string;
  wrong: string[];
}

/** One death of the worker, which meets each of them at its step. */
async function die(wave: Doomed[], mutant?: 'reboots again'): Promise<Fate[]> {
  const all = [];
  for (const doomed of wave) all.push({ doomed, prepared: await doomed.prepare(await placeFor(doomed.row)) });
  const kills = all.map(({ doomed: { step, position }, prepared }) => ({
    workflowId: prepared.workflowId,
    step,
    position,
  }));
  const dying = await site.employ(kills, mutant);
  const handles = await Promise.all(all.map(({ prepared }) => prepared.start(site)));
  const parked = new Set(await dying.died());
  const next = await site.employ([], mutant);
  const ends = await Promise.all(handles.map(endOf));
  const fates: Fate[] = [];
  for (const [index, { doomed, prepared }] of all.entries()) {
    const end = ends[index] ?? '';
    const told = `${doomed.row}, ${doomed.title}, killed ${doomed.position} step ${doomed.step}`;
    const wrong = (await prepared.wrong(end)).map((what) => `${told}: ${what}`);
    fates.push({ row: doomed.row, end, met: parked.has(prepared.workflowId), wrong });
  }
  await next.end();
  return fates;
}
