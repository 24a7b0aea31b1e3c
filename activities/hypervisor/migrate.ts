import { DroverError } from '../../model/errors.js';
import type { Call, MigrateAnswer, MigrateInput } from '../types.js';
import type { HypervisorDeps } from './deps.js';
import { ownerOf, pause, throwIfStopped } from './guard.js';
import { abortUntilEnded, anyJob } from './abort.js';
import { Following, type EarlyEnd } from './following.js';
import { followPostCopy } from './post-copy.js';
import { prepare } from './prepare.js';
import { guestLost, isKept, judge, lookAtBoth, outOfReach, refuseStaleSides, type Sides } from './verdict.js';

/**
 * Moves a guest and follows it until it is somewhere. The hosts perform the migration by themselves; this
 * only starts it (when there is none yet), watches it, and judges by looking at both hosts. The client's
 * exit says nothing: it may die while the job goes on, or fail after the guest has arrived.
 */
export async function migrateGuest(
  deps: HypervisorDeps,
  input: MigrateInput,
  call: Call,
): Promise<MigrateAnswer> {
  const follow = new Following(deps, input, ownerOf(call));
  try {
    return await followUntilDecided(deps, input, call, follow);
  } catch (error) {
    if (error instanceof DroverError) await follow.recordFailure(error);
    throw error;
  }
}

async function followUntilDecided(
  deps: HypervisorDeps,
  input: MigrateInput,
  call: Call,
  follow: Following,
): Promise<MigrateAnswer> {
  const { pace, hypervisor } = deps;
  // Most often there is no job yet, and what the two sides show is all that is needed to start one.
  const [found, now] = await Promise.all([
    anyJob(hypervisor, input.source, input.instance),
    lookAtBoth(hypervisor, input),
  ]);
  refuseStaleSides(now, ownerOf(call));
  let job = found;
  let seen: Sides | null = now;
  for (;;) {
    if (call.signal.aborted && call.cancelRequested())
      return endEarly(deps, input, call, follow, 'cancelled');
    throwIfStopped(call, `${input.name} migrates`);
    if (follow.isOverdue()) return endEarly(deps, input, call, follow, 'overdue');

    if (job !== null && job !== 'unknown' && job.migrates) {
      const climbed = await follow.sawJob(job);
      if (climbed === 'post-copy') return follow.completed(await followPostCopy(deps, input, call));
      if (climbed !== 'goes on') return endEarly(deps, input, call, follow, climbed);
      call.heartbeat(follow.progress('copying'));
    } else {
      follow.sawOther(job === 'unknown' ? null : job);
      const sides = seen ?? (await lookAtBoth(hypervisor, input));
      const answer = await decide(deps, input, call, follow, sides);
      if (answer !== null) return answer;
      call.heartbeat(follow.progress(follow.underway ? 'looking' : 'starting'));
    }
    // Woken early when the client ends: most often the guest has just arrived.
    await Promise.race([
      pause(deps.clock, pace.pollMs, call, `${input.name} migrates`),
      follow.clientEnds(),
    ]).catch((error: unknown) => {
      // The head of the loop knows how to leave: a cancel has to end the job first.
      if (!call.signal.aborted) throw error;
    });
    if (call.signal.aborted) continue;
    seen = null;
    // Its client has just ended: most often there is no job left to ask for, but a guest to be found.
    job = follow.looksAfterClient() ? null : await anyJob(hypervisor, input.source, input.instance);
  }
}

/** Returns the answer, throws the verdict, or null to look again. */
async function decide(
  deps: HypervisorDeps,
  input: MigrateInput,
  call: Call,
  follow: Following,
  sides: Sides,
): Promise<MigrateAnswer | null> {
  const verdict = judge(sides);
  switch (verdict) {
    case 'arrived':
      return follow.completed(sides);
    case 'post-copy':
      return follow.completed(await followPostCopy(deps, input, call));
    case 'both':
      return lostIfTwice(follow, verdict, () =>
        guestLost(input, sides, 'runs on both hosts; nothing was touched'),
      );
    case 'stayed':
      if (!follow.underway) {
        await prepare(deps.hypervisor, input, sides, call, follow.other);
        await follow.start();
        return null;
      }
      return failedIfKept(follow, input);
    case 'off':
      if (!follow.underway) {
        throw new DroverError(
          'WrongState',
          `${input.name} does not run on ${input.source.name}, so it can't be migrated live`,
        );
      }
      return lostIfTwice(follow, verdict, () => guestLost(input, sides, 'was shut down while it migrated'));
    case 'landed-off':
      return lostIfTwice(follow, verdict, () => guestLost(input, sides, 'has moved but is off'));
    case 'nowhere':
      return lostIfTwice(follow, verdict, () => guestLost(input, sides, 'is on neither host'));
    case 'moving':
    case 'unknown':
      // The target died, or is cut off, and the source decided already: waiting would change nothing.
      if (follow.underway && isKept(sides)) return failedIfKept(follow, input);
      // Before anything was started there is nothing to wait for: the caller tries again, or elsewhere.
      if (follow.isUnclearFor(deps.pace.patienceMs) || (!follow.underway && verdict === 'unknown')) {
        throw verdict === 'unknown'
          ? outOfReach(input, sides)
          : guestLost(input, sides, 'is half on one host, and no job moves it');
      }
      return null;
    default:
      return verdict satisfies never;
  }
}

/** The guest lives on its source, and neither a job nor a client moves it: seen twice, the migration has failed. */
function failedIfKept(follow: Following, { name, source, target }: MigrateInput): null {
  if (follow.client === 'running' || !follow.twice('kept')) return null;
  throw new DroverError('MigrationFailed', `${name} stayed on ${source.name}: ${follow.clientMessage()}`, {
    details: { source: source.name, target: target.name },
  });
}

/**
 * The two hosts are not asked at the same instant, so a guest that is switched over just then can seem to be on
 * both or on neither. Only a second round makes that a fact.
 */
function lostIfTwice(follow: Following, verdict: string, error: () => DroverError): null {
  if (follow.twice(verdict)) throw error();
  return null;
}

/** Ends the job, and tells the truth: a guest that arrived all the same has arrived. */
async function endEarly(
  deps: HypervisorDeps,
  input: MigrateInput,
  call: Call,
  follow: Following,
  why: EarlyEnd,
): Promise<MigrateAnswer> {
  call.heartbeat(follow.progress('aborting'));
  await abortUntilEnded(deps, input, call, () => follow.client === 'running');
  const until = deps.clock.now() + deps.pace.patienceMs;
  for (;;) {
    const sides = await lookAtBoth(deps.hypervisor, input);
    const verdict = judge(sides);
    if (verdict === 'arrived') return follow.completed(sides);
    if (verdict === 'post-copy') return follow.completed(await followPostCopy(deps, input, call));
    if (verdict === 'both')
      lostIfTwice(follow, verdict, () => guestLost(input, sides, 'runs on both hosts; nothing was touched'));
    // What is left on the target, and whatever else is odd, is the undo's to find and to clean.
    const lost = sides.source.answered && sides.source.fenced === true;
    if (lost || verdict === 'stayed' || verdict === 'off' || deps.clock.now() > until)
      throw follow.endedEarly(why, sides);
    call.heartbeat(follow.progress('aborting'));
    await deps.clock.sleep(deps.pace.pollMs);
  }
}
