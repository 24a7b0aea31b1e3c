/** What is said of a run once its trouble is over: of its instances, and of its record. */
import { getInstance } from '../../../activities/inventory/instances.js';
import type { Inventory } from '../../../activities/inventory/database.js';
import { getRun } from '../../../activities/inventory/runs.js';
import type { Place } from '../case.js';
import { broken } from '../invariants.js';
import type { Heard } from '../told.js';
import type { RunGiven } from './cases.js';

export interface RunTrial {
  place: Place;
  given: RunGiven;
  id: string;
  janitor(): Promise<void>;
}

/** `excused`: nobody could write its end, as its workflow was terminated, or the record itself failed for ever. */
export async function judgeRun(trial: RunTrial, told: Heard, excused: boolean): Promise<string[]> {
  const { place, given, id } = trial;
  const { inventory } = place;
  const ids = Object.keys(given.instances);
  const wrong = excused ? [] : await mistoldRun(inventory, id, told);
  wrong.push(...(await unfounded(inventory, id)));
  const before = await Promise.all(ids.map((each) => getInstance(inventory, each)));
  if (before.some(({ operation, needsRepair }) => operation !== null || needsRepair !== null))
    await trial.janitor();
  for (const each of ids) {
    wrong.push(...(await broken(place, each)));
    const it = await getInstance(inventory, each);
    if (it.needsRepair !== null) wrong.push(`${it.name} is still to repair: ${it.needsRepair}`);
    const well = given.instances[each];
    if (told === 'done' && !excused && (it.state !== well?.state || it.host !== well.host?.name))
      wrong.push(`the run is told done, and ${it.name} is ${it.state} on ${it.host}`);
  }
  return wrong;
}

const states: Partial<Record<Heard, string>> = {
  done: 'succeeded',
  Cancelled: 'cancelled',
  Rejected: 'rejected',
};

async function mistoldRun(inventory: Inventory, id: string, told: Heard): Promise<string[]> {
  const { state, error, endedAt } = await getRun(inventory, id);
  const wanted = states[told] ?? 'failed';
  const says = JSON.stringify({ told, state, error: error?.code });
  return [
    ...(state === wanted && endedAt !== null ? [] : [`the record of the run tells something else: ${says}`]),
    ...((error?.code ?? 'done') === told ? [] : [`the record has another error: ${says}`]),
  ];
}

/** What is told done was done: by an operation of the run that has succeeded, or by a run within it. */
async function unfounded({ kysely }: Inventory, run: string): Promise<string[]> {
  const items = await kysely
    .selectFrom('run_items')
    .select(['step', 'item', 'label'])
    .where('run', '=', run)
    .where('state', '=', 'done')
    .execute();
  const operations = await kysely
    .selectFrom('operations')
    .select('step')
    .where('run', '=', run)
    .where('state', '=', 'succeeded')
    .execute();
  const runs = await kysely
    .selectFrom('runs')
    .select('parent_step')
    .where('parent_run', '=', run)
    .where('state', '=', 'succeeded')
    .execute();
  const left = [...operations.map(({ step }) => step), ...runs.map(({ parent_step }) => parent_step)];
  return items.flatMap(({ step, label }) => {
    const found = left.indexOf(step);
    if (found < 0) return [`${label} of step ${step} is told done, and nothing did it`];
    left.splice(found, 1);
    return [];
  });
}
