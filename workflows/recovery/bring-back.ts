/** Brings the instances of a fenced host back elsewhere: by priority, a few at a time, and what finds no room again later. */
import type { Casualty } from '../../activities/types.js';
import { formatDuration } from '../../model/duration.js';
import { DroverError } from '../../model/errors.js';
import type { Recovered } from '../../model/incident.js';
import { pool } from '../pool.js';
import { asDroverError } from '../unwind.js';
import { countsOf } from './markdown.js';
import type { Ending, Recovery } from './recovery.js';
import { verify } from './verify.js';

export async function bringBack(recovery: Recovery): Promise<Ending> {
  const { ctx, host, opened } = recovery;
  const { retryForSeconds, retryEverySeconds } = opened.rules;
  const { casualties } = await ctx.call('casualties', { host });
  await plan(recovery, casualties);
  let left = casualties.filter(({ skip }) => skip === null);
  const deadline = ctx.now() + retryForSeconds * 1000;
  let pause = retryEverySeconds * 1000;
  for (;;) {
    const proven = await round(recovery, left);
    if (ctx.cancelled()) throw new DroverError('Cancelled', `the recovery of ${host} was cancelled`);
    left = left.filter(({ instance }) => outcomeOf(recovery, instance) === 'waiting');
    if (!proven || left.length === 0 || ctx.now() + pause > deadline) break;
    const says = `${left.length} wait for room (${namesOf(left)}): tried again in ${formatDuration(Math.round(pause / 1000))}; add or enable hosts, or free room`;
    await recovery.note('waiting', says, { state: 'waiting', waitsFor: says });
    await ctx.sleep(pause, 'room for what found none');
    // Whoever takes the host back has let it go: it must not be cut off again under a readmission.
    const [now] = await ctx.call('listHosts', { name: host });
    if (now?.fence?.incident !== recovery.id || now.fence.state !== 'held') {
      recovery.readmitted = true;
      break;
    }
    pause = Math.min(pause * 2, longestPause);
    await recovery.note('evacuating', `${left.length} are tried again`, {
      state: 'evacuating',
      waitsFor: null,
    });
  }
  return endingOf(recovery);
}

const longestPause = 15 * 60_000;

async function plan(recovery: Recovery, casualties: Casualty[]): Promise<void> {
  for (const { instance, name, ha, state, skip } of casualties) {
    const outcome = skip === null ? 'waiting' : 'skipped';
    record(recovery, { instance, name, ha, was: state, outcome, host: null, says: skip ?? '' });
  }
  const todo = casualties.filter(({ skip }) => skip === null);
  const told = casualties.flatMap(({ name, skip, tell }) => {
    const what = skip ?? tell;
    return what === null ? [] : [`${name}: ${what}`];
  });
  const says =
    todo.length === 0
      ? 'nothing is left to bring back'
      : `${todo.length} instances to bring back, in this order: ${namesOf(todo)}`;
  await recovery.note('planned', [says, ...told].join('; '), { state: 'evacuating' });
}

/** False where the host turned out not to be off, and nothing more may be started. */
async function round(recovery: Recovery, todo: readonly Casualty[]): Promise<boolean> {
  const { ctx, opened } = recovery;
  const { atATime } = opened.rules;
  let proven = true;
  let started = 0;
  let verified = -1;
  let verifying: Promise<void> | null = null;
  /** Null once the evidence of this batch is verified. */
  const held = (): Promise<void> | null => {
    const batch = Math.floor(started / atATime);
    if (batch === verified) return null;
    verifying ??= verifyBatch().finally(() => {
      verifying = null;
    });
    return verifying;
  };
  const verifyBatch = async (): Promise<void> => {
    try {
      proven = await verify(recovery);
      verified = Math.floor(started / atATime);
    } catch (cause) {
      broken = cause;
      proven = false;
    }
  };
  let broken: unknown;
  await pool(
    todo,
    atATime,
    () => proven && !ctx.cancelled(),
    async (casualty) => {
      started += 1;
      await one(recovery, casualty);
    },
    held,
  );
  await recovery.allTold();
  if (broken !== undefined && !ctx.cancelled()) throw broken;
  return proven;
}

/** Cancelled or not, what has begun comes to its end: half an evacuation helps nobody. */
async function one(recovery: Recovery, casualty: Casualty): Promise<void> {
  const { ctx, host } = recovery;
  const { instance, name, ha, state } = casualty;
  const was = { instance, name, ha, was: state };
  const back = (to: string | undefined, told: (string | null | undefined)[]): void => {
    const says = told.filter(Boolean).join('; ');
    record(recovery, { ...was, outcome: to === host ? 'untouched' : 'evacuated', host: to ?? null, says });
    recovery.tell('evacuated', `${name} is on ${to ?? 'another host'}${says === '' ? '' : `: ${says}`}`);
  };
  try {
    const input = { from: host, reserved: ha !== 'best-effort' };
    const answer = await ctx.shielded(() => ctx.child('instance.evacuate', { id: instance, name }, input));
    const { to, told, note } = (answer ?? {}) as { to?: string; told?: string | null; note?: string };
    back(to, [told, note]);
  } catch (cause) {
    const error = asDroverError(cause);
    const now = await ctx.shielded(() => whereNow(recovery, instance, error));
    if (now === 'gone') {
      const says = 'it was being terminated, and is gone';
      record(recovery, { ...was, outcome: 'skipped', host: null, says });
      return recovery.tell('skipped', `${name}: ${says}`);
    }
    if (now !== host) return back(now, ['it was brought back already']);
    const waits = mayFindRoom.includes(error.code);
    record(recovery, { ...was, outcome: waits ? 'waiting' : 'failed', host: null, says: error.message });
    const room = error.code === 'NoValidHost' ? 'no room' : 'not yet';
    recovery.tell(waits ? room : 'failed', `${name}: ${error.message}`);
  }
}

/** On which host it is by now: a run before this one may have had it on its way, or its terminate came to its end. */
async function whereNow({ ctx, host }: Recovery, instance: string, error: DroverError): Promise<string> {
  if (error.code === 'NotFound' && error.details['deletedAt'] !== undefined) return 'gone';
  const { workflowId } = error.details;
  if (error.code === 'InstanceBusy' && typeof workflowId === 'string')
    await ctx.call('waitForWorkflow', { workflowId, seconds: holderSeconds });
  else if (error.code !== 'FencingRequired') return host;
  const { state, host: now } = await ctx.call('getInstance', { instance });
  return state === 'deleted' ? 'gone' : (now ?? host);
}

/** An evacuation in flight takes seconds, or as long as its hosts are given. */
const holderSeconds = 900;

/**
 * Worth another try later: room comes, the evidence is proven again, and whoever holds the instance lets go of it. A host
 * that was lost under an evacuation may run it: it is tried again until that one is back, or fenced as well.
 */
const mayFindRoom: readonly string[] = [
  'NoValidHost',
  'InstanceBusy',
  'NoMigrationSlot',
  'FencingRequired',
  'HypervisorUnreachable',
  'UnwindIncomplete',
  'HostUnknown',
  'NeedsRepair',
];

function record({ instances }: Recovery, row: Recovered): void {
  const at = instances.findIndex(({ instance }) => instance === row.instance);
  if (at === -1) instances.push(row);
  else instances[at] = row;
}

const outcomeOf = ({ instances }: Recovery, id: string): Recovered['outcome'] | undefined =>
  instances.find(({ instance }) => instance === id)?.outcome;

function endingOf(recovery: Recovery): Ending {
  const { host, instances, id } = recovery;
  const left = instances.filter(({ outcome }) => outcome === 'waiting' || outcome === 'failed');
  const counts = countsOf(instances);
  if (left.length === 0)
    return { state: 'recovered', says: `${host} is recovered: ${counts || 'nothing was left on it'}` };
  if (recovery.readmitted) {
    const says = `${host} was readmitted meanwhile, with what was left on it: ${counts}`;
    return { state: 'recovered', says };
  }
  const says = `${host} is not wholly recovered: ${counts}; ${left.length} left: ${namesOf(left)}`;
  const hint = `see each with \`drover incident show ${id}\`; \`drover host recover ${host}\` tries what is left again`;
  const details = { incident: id, left: left.map(({ name, says: why }) => ({ name, why })) };
  return {
    state: 'partly-recovered',
    says,
    error: new DroverError('RecoveryIncomplete', says, { details, hint }),
  };
}

const namesOf = (of: readonly { name: string }[]): string =>
  of
    .slice(0, namesTold)
    .map(({ name }) => name)
    .join(', ') + (of.length > namesTold ? ` and ${of.length - namesTold} more` : '');

const namesTold = 20;
