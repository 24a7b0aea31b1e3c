/** What is said of a trial once its trouble is over: what is wrong, at once and after the janitor has been there. */
import type { Instance } from '../../model/instance.js';
import { getInstance } from '../../activities/inventory/instances.js';
import { DroverError } from '../../model/errors.js';
import type { Trial } from './case.js';
import { auditSentences } from './audit.js';
import { broken } from './invariants.js';
import { realityOf } from './reality.js';
import { mistold, recordFor, type Heard } from './told.js';

export interface Verdict {
  /** How it ended, in a word or two: `done`, `Cancelled, repaired`. */
  outcome: string;
  wrong: string[];
}

/** `excused`: it could not close itself (terminated, or its own closing failed for ever): the janitor must. */
export async function judge(trial: Trial, told: Heard, excused: boolean): Promise<Verdict> {
  const wrong = excused ? [] : mistold(await recordFor(trial), told);
  const about = trial.given.instance;
  if (!about) {
    const unknown = told === 'nothing' || excused;
    wrong.push(...((await trial.given.wrong?.(unknown ? null : told === 'done')) ?? []));
    return { outcome: told, wrong: [...wrong, ...(await openAfterJanitor(trial))] };
  }
  const before = await find(trial);
  if (before === null) return { outcome: `${told}, never made`, wrong: [...wrong, ...(await traces(trial))] };
  const open = before.operation !== null || before.needsRepair !== null;
  if (!excused || before.operation === null) wrong.push(...(await broken(trial.place, about.id, about)));
  if (!excused && told === 'done') wrong.push(...asWanted(trial, before));
  if (!open)
    return { outcome: told, wrong: [...wrong, ...asAllowed(trial, before), ...(await audited(trial))] };
  await trial.janitor();
  wrong.push(...(await broken(trial.place, about.id, about)).map((what) => `after the janitor: ${what}`));
  const after = await find(trial);
  if (after?.needsRepair) wrong.push(`after the janitor it is still to repair: ${after.needsRepair}`);
  if (after) wrong.push(...asAllowed(trial, after));
  return { outcome: `${told}, repaired`, wrong: [...wrong, ...(await audited(trial))] };
}

/** An audit finds nothing wrong with it, beside what the case is told to leave; others share its place. */
async function audited({ place, given }: Trial): Promise<string[]> {
  const found = await auditSentences(place, given.instance?.id);
  return given.instance?.keptDisks === true ? found.filter((what) => !what.includes('orphan-disk')) : found;
}

async function find({ place, given }: Trial): Promise<Instance | null> {
  try {
    return await getInstance(place.inventory, given.instance?.id ?? '');
  } catch (error) {
    if (error instanceof DroverError && error.code === 'NotFound') return null;
    throw error;
  }
}

function asWanted({ given }: Trial, { state, host }: Instance): string[] {
  const well = given.instance?.well;
  if (!well || (state === well.state && host === (well.host?.name ?? null))) return [];
  return [`it is told done, and is ${state} on ${host} instead of ${well.state} on ${well.host?.name}`];
}

/** Whatever went wrong, it is what it was, what it was to be, or in `error` with a reason. */
function asAllowed({ given }: Trial, { state, fault }: Instance): string[] {
  const states = [given.instance?.well.state, given.instance?.else];
  if (states.includes(state) || (state === 'error' && fault !== null)) return [];
  return [`it ended ${state} (${fault})`];
}

/** An instance that was never recorded has left nothing anywhere. */
async function traces({ place, given }: Trial): Promise<string[]> {
  const id = given.instance?.id ?? '';
  const never = { id, name: place.name, host: null, state: 'deleted', disks: [] } as unknown as Instance;
  const { known, files, made } = await realityOf(place.datacenter, never);
  const left = [...known, ...files, ...made];
  return left.length > 0 ? [`nobody knows it, and this is there: ${left.join()}`] : [];
}

/** The record of an operation on a host that somebody terminated does not stay open. */
async function openAfterJanitor(trial: Trial): Promise<string[]> {
  if ((await recordFor(trial))?.endedAt !== null) return [];
  await trial.janitor();
  const record = await recordFor(trial);
  return record?.endedAt === null ? [`its record stays open: ${record.state}`] : [];
}
