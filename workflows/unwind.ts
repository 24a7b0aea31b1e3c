/**
 * Undoing, cleaning up and finding out what is so: the same code for an operation that failed or was
 * cancelled, for one whose workflow was terminated, and for the janitor. It works from the intents in the
 * inventory, not from the memory of the workflow that made them.
 */
import type { Activities, ActivityName, Sighting, UndoAnswer } from '../activities/types.js';
import { DroverError } from '../model/errors.js';
import type { HostRef } from '../model/host.js';
import { stateSeen, type Instance, type InstanceState } from '../model/instance.js';
import type { InstancePatch, Intent, Owner, Settled } from '../model/operation.js';
import { leftThere } from './left-there.js';
import type { Runtime } from './runtime.js';

export interface Unwound {
  settled: Settled[];
  /** Sentences of what could not be undone. */
  left: string[];
  /** Sentences of what nobody has to undo, since it is on hosts that are fenced. */
  noted: string[];
  /** Those of them that are disks, which the readmission of their host removes. */
  kept: { path: string; says: string }[];
  /** Set when an undo found its step past the point of no return: the work is done after all. */
  committed: InstancePatch | null;
}

/** How long an undo may wait for a hypervisor's job to end by itself before it aborts it. */
export const noPatience = 0;
export const janitorPatience = 600;

/** Carries out intents, newest first, and stops at the first that fails: older ones may depend on it. */
export async function carryOut(
  rt: Runtime,
  owner: Owner,
  intents: Intent[],
  patienceSeconds: number,
): Promise<Unwound> {
  const unwound: Unwound = { settled: [], left: [], noted: [], kept: [], committed: null };
  for (const [index, intent] of intents.entries()) {
    if (intent.fenced !== undefined) {
      const { settled, says, kept } = await leftThere(rt, owner, { ...intent, fenced: intent.fenced });
      unwound.settled.push(...settled);
      unwound.noted.push(says);
      if (kept !== null) unwound.kept.push({ path: kept, says });
      continue;
    }
    const input = { ...intent.input, patienceSeconds } as unknown as Parameters<Activities[ActivityName]>[0];
    let answer: UndoAnswer;
    try {
      answer = (await rt.activity(intent.activity as ActivityName, input, {
        owner,
        seq: intent.seq,
        onHost: intent.onHost,
      })) as unknown as UndoAnswer;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      unwound.left.push(`${intent.says} (${why})`, ...intents.slice(index + 1).map((rest) => rest.says));
      return unwound;
    }
    unwound.settled.push({ operation: intent.operation, seq: intent.seq });
    if (answer && !answer.undone) {
      const { intents: cleanup } = await rt.activity('commit', {
        owner,
        patch: answer.patch,
        cleanup: answer.cleanup,
      });
      const cleaned = await carryOut(rt, owner, cleanup, patienceSeconds);
      return {
        settled: [...unwound.settled, ...cleaned.settled],
        left: cleaned.left,
        noted: [...unwound.noted, ...cleaned.noted],
        kept: [...unwound.kept, ...cleaned.kept],
        committed: answer.patch,
      };
    }
  }
  return unwound;
}

/** The hosts that may know the guest: where it should be, and those that the intents speak of. */
function hostsConcerned(home: HostRef[], intents: Intent[]): HostRef[] {
  const byName = new Map(home.map((host) => [host.name, host]));
  for (const { input } of intents) {
    for (const key of ['host', 'source', 'target']) {
      const value = input[key];
      if (isHostRef(value)) byName.set(value.name, value);
    }
  }
  return [...byName.values()];
}

function isHostRef(value: unknown): value is HostRef {
  return typeof value === 'object' && value !== null && 'name' in value && 'uri' in value;
}

/** What the sightings make of the instance. Pure; `gone` is its state when every host answered and none knows it. */
export function truth(
  instance: Instance,
  seen: Sighting[],
  gone: InstanceState,
): { patch: InstancePatch; left: string[] } {
  // It certainly does not run on a fenced host: that tells nothing, unless it is at home there.
  const sightings = seen.filter((s) => s.fenced !== true || s.host === instance.host);
  const live = sightings.filter((s) => s.power === 'running' || s.power === 'paused');
  const halves = sightings.filter((s) => s.postCopy !== undefined && s.postCopy !== null);
  const [only] = live;
  if (live.length > 1) {
    const where = live.map((s) => s.host).join(' and ');
    const fault = `runs on ${where} at the same time: stop the wrong one by hand`;
    return { patch: { state: 'error', fault, powerState: 'running' }, left: [`two copies: ${fault}`] };
  }
  if (only) {
    const state = stateSeen(instance.state, only.power);
    return {
      patch: { state, powerState: only.power, host: only.host, disks: only.disks, fault: null },
      left: [],
    };
  }
  if (halves.length > 0) {
    // Two halves are one guest; who asks next must not take either for a guest that can go on.
    const where = halves.map((s) => s.host).join(' and ');
    const fault =
      `a post-copy migration left what it had in memory on ${where}, in halves that don’t run: never resume them; ` +
      `\`drover instance reboot --hard ${instance.name}\` boots it afresh on ${instance.host ?? 'its target'}`;
    return { patch: { state: 'error', powerState: 'migrating', fault }, left: [] };
  }
  const home = sightings.find((s) => s.host === instance.host);
  // What it was before its host was lost is what an evacuation brings back; nothing brings back what was being terminated.
  if (home?.fenced === true && instance.state !== 'building' && gone !== 'deleted')
    return { patch: { powerState: 'unknown' }, left: [] };
  const half = sightings.find((s) => s.power === 'migrating');
  const silent = sightings.filter((s) => s.power === 'unknown').map((s) => s.host);
  if (half) {
    const fault = `is half on ${half.host} and runs nowhere`;
    return { patch: { state: 'error', powerState: 'migrating', fault }, left: [fault] };
  }
  if (silent.length > 0) {
    // Nothing is concluded from silence, whoever else answers: the guest may well run there.
    const fault = `where it is can't be told: ${silent.join(', ')} did not answer`;
    const building = instance.state === 'building' ? { state: 'error' as const, fault } : {};
    return { patch: { powerState: 'unknown', ...building }, left: [] };
  }
  const off = home?.persistent ? home : sightings.find((s) => s.persistent);
  if (off) {
    return {
      patch: {
        ...whenOff(instance.state, off),
        powerState: 'shutoff',
        host: off.host,
        disks: off.disks,
        fault: null,
      },
      left: [],
    };
  }
  if (gone === 'deleted') return { patch: { state: 'deleted', powerState: 'absent', host: null }, left: [] };
  const lost = seen.filter((s) => s.fenced === true).map((s) => s.host);
  if (sightings.length === 0 && lost.length > 0 && isHalfMade(instance)) {
    const fault =
      `${lost.join(' and ')} was lost while it was made there: nothing of it runs, and what it left there goes with the ` +
      `readmission; remove it with \`drover instance terminate ${instance.name}\`, then launch it again`;
    return { patch: { state: 'error', powerState: 'absent', fault }, left: [] };
  }
  // It is on no host and said to be so already, with a reason that tells more.
  if (sightings.length === 0 && instance.state !== 'building') return { patch: {}, left: [] };
  const asked = sightings.map((s) => s.host).join(', ');
  const fault = asked ? `no guest was found on ${asked}` : 'it was never on a host';
  return { patch: { state: 'error', powerState: 'absent', fault }, left: [] };
}

/** A launch that gave up before it was known what had become of it. */
const isHalfMade = ({ state, host, powerState }: Instance): boolean =>
  host === null && (state === 'building' || (state === 'error' && powerState === 'unknown'));

/** A guest that is off is suspended as long as its memory is there; `managedSave` is not known of in histories of old. */
function whenOff(was: InstanceState, { managedSave }: Sighting): Pick<InstancePatch, 'state' | 'cause'> {
  if (was === 'suspended' && managedSave === false)
    return { state: 'stopped', cause: 'its saved memory is gone' };
  if ((was === 'active' || was === 'paused') && managedSave === true)
    return { state: 'suspended', cause: 'its memory was saved, and no suspend of it was completed' };
  return { state: stateSeen(was, 'shutoff') };
}

/** Looks at every host concerned and answers what is so. */
export async function observe(
  rt: Runtime,
  instance: Instance,
  intents: Intent[],
  gone: InstanceState,
  also: readonly HostRef[] = [],
): Promise<{ patch: InstancePatch; left: string[]; sightings: Sighting[] }> {
  const home = instance.host ? [await rt.activity('getHost', { host: instance.host })] : [];
  const hosts = hostsConcerned([...home, ...also], intents);
  if (hosts.length === 0) return { ...truth(instance, [], gone), sightings: [] };
  const { sightings } = await rt.activity('look', { instance: instance.id, hosts });
  return { ...truth(instance, sightings, gone), sightings };
}

export function asDroverError(error: unknown): DroverError {
  return error instanceof DroverError
    ? error
    : new DroverError('Internal', error instanceof Error ? error.message : String(error));
}
