import { DroverError } from '../../model/errors.js';
import { stateSeen } from '../../model/instance.js';
import type { Owner } from '../../model/operation.js';
import type { Call, MigrateInput, UndoAnswer } from '../types.js';
import { abortUntilEnded, currentJob } from './abort.js';
import type { HypervisorDeps, MigrationEnd } from './deps.js';
import { ownerOf, refuseStale } from './guard.js';
import { followPostCopy } from './post-copy.js';
import type { GuestView } from './port.js';
import {
  guestLost,
  judge,
  lookAtBoth,
  outOfReach,
  refuseStaleSides,
  type Side,
  type Sides,
  type Verdict,
} from './verdict.js';

/**
 * Takes a migration back: ends its job, removes what is left on the target, and leaves the guest on the source.
 * When the guest turns out to have arrived, that is the truth, and this says so instead.
 */
export async function undoMigrate(
  deps: HypervisorDeps,
  input: MigrateInput,
  call: Call,
): Promise<UndoAnswer> {
  const { hypervisor, pace, clock } = deps;
  const undo: Undo = { ...deps, input, call, owner: ownerOf(call), stamped: false, begun: clock.now() };
  refuseStaleSides(await lookAtBoth(hypervisor, input), undo.owner);
  await letItEnd(undo, (input.patienceSeconds ?? 0) * 1000);
  await abortUntilEnded(deps, input, call);

  let before: Verdict | null = null;
  undo.begun = clock.now();
  for (;;) {
    const sides = await lookAtBoth(hypervisor, input);
    const waited = clock.now() - undo.begun;
    const source = sides.source.answered ? sides.source.view : null;
    const target = sides.target.answered ? sides.target.view : null;
    const verdict = judge(sides);
    call.heartbeat({ phase: 'undoing', verdict });

    const ending = await besideFenced(undo, sides, verdict, before === verdict);
    if (ending !== null) return ending;
    if (verdict === 'arrived' || verdict === 'landed-off') {
      // A source that was killed just then kept its definition, which could be started again.
      if (source !== null) await hypervisor.undefine(input.source, input.instance);
      if (target !== null) return arrived(deps, input, target);
    } else if (verdict === 'post-copy') {
      // There is no way back to the source from here: only where it goes can be found out.
      return forward(deps, input, call);
    } else if (verdict === 'both') {
      if (before === 'both') throw guestLost(input, sides, 'runs on both hosts; nothing was touched');
    } else if (verdict === 'nowhere') {
      if (waited > pace.settleMs) throw guestLost(input, sides, 'is on neither host');
    } else if (verdict === 'unknown') {
      if (sides.target.answered && target === null && waited > pace.settleMs) return ended(deps, input);
      if (waited > pace.settleMs) throw outOfReach(input, sides);
    } else if (source !== null) {
      if (await isSettled(undo, source, target, sides)) return ended(deps, input);
    } else if (waited > pace.settleMs) {
      throw guestLost(input, sides, 'is half on the target only');
    }
    before = verdict;
    await clock.sleep(pace.pollMs);
  }
}

/** A job that nobody follows may still bring the guest over; the janitor rather waits than breaks it off. */
async function letItEnd({ hypervisor, pace, clock, input, call }: Undo, patienceMs: number): Promise<void> {
  const until = clock.now() + patienceMs;
  while (clock.now() < until) {
    const job = await currentJob(hypervisor, input.source, input.instance);
    if (job === null || job === 'unknown' || job.postCopy) return;
    call.heartbeat({ phase: 'waiting for the job', remainingBytes: job.remainingBytes });
    await clock.sleep(pace.pollMs);
  }
}

/**
 * Where one of the two hosts is fenced, the other one alone tells where the guest is. `rests`: seen by the look before,
 * too; whoever brought the migration to its end is off, so that nothing of it comes about by itself any more. Null where the usual course is right.
 */
async function besideFenced(
  undo: Undo,
  { source, target }: Sides,
  verdict: Verdict,
  rests: boolean,
): Promise<UndoAnswer | null> {
  const { hypervisor, input, owner } = undo;
  const { instance } = input;
  const isFenced = (side: Side): boolean => side.answered && side.fenced === true;
  if (isFenced(source) && target.answered) {
    if (verdict === 'nowhere' && rests) return ended(undo, input);
    if (verdict !== 'moving' || !rests || target.view === null) return null;
    // Its source is off for certain: what came of it is not whole, and never will be. It goes; an evacuation follows.
    refuseStale(target.view, owner);
    await hypervisor.destroy(input.target, instance);
    await hypervisor.undefine(input.target, instance);
    return ended(undo, input);
  }
  if (!isFenced(target) || !source.answered) return null;
  const left = source.view === null || (verdict === 'off' && source.view.reason === 'migrated');
  if (!left || !rests) return null;
  if (source.view !== null) await hypervisor.undefine(input.source, instance);
  await record(undo, input, {
    state: 'completed',
    ...none,
    reason: `${input.target.name} was lost after it`,
  });
  // Old copies of its disks stay: those on the lost host are newer, but who knows when they come back.
  return { undone: false, patch: { host: input.target.name, powerState: 'unknown' }, cleanup: [] };
}

interface Undo extends HypervisorDeps {
  input: MigrateInput;
  call: Call;
  owner: Owner;
  stamped: boolean;
  /** When the job was over, as far as it is known; ms since the epoch. */
  begun: number;
}

/** The source has the guest. True once nothing of it is left on the target; removes what is, one thing per look. */
async function isSettled(
  undo: Undo,
  source: GuestView,
  target: GuestView | null,
  sides: Sides,
): Promise<boolean> {
  const { hypervisor, pace, clock, input, call } = undo;
  const waited = clock.now() - undo.begun;
  refuseStale(source, undo.owner);
  if (waited > pace.patienceMs + pace.settleMs) throw guestLost(input, sides, 'does not come to rest');
  if ((await currentJob(hypervisor, input.source, input.instance)) !== null) {
    await abortUntilEnded(undo, input, call);
    return false;
  }
  if (!undo.stamped && source.power !== 'migrating') {
    // The stamp refuses a late attempt that would start the migration again; one more look finds one that just did.
    await hypervisor.stamp(input.source, source, undo.owner);
    undo.stamped = true;
    return false;
  }
  if (target !== null && target.power === 'migrating') {
    // The hypervisor removes it by itself within seconds. What stays has never run: the guest is on the source.
    if (waited > pace.settleMs && source.power !== 'migrating')
      await hypervisor.destroy(input.target, input.instance);
    return false;
  }
  if (target !== null) {
    await hypervisor.undefine(input.target, input.instance);
    return false;
  }
  if (source.power !== 'migrating') return true;
  // Stopped for the switch-over when its hypervisor was killed; the target does not have it, so it may go on.
  if (waited > pace.settleMs) await hypervisor.unpause(input.source, input.instance);
  return false;
}

/**
 * Past the switch-over of a post-copy: the guest is on its target, or it is in two halves and in error there, where its
 * disks are current.
 */
async function forward(deps: HypervisorDeps, input: MigrateInput, call: Call): Promise<UndoAnswer> {
  try {
    const tries = (input.patienceSeconds ?? 0) > 0 ? undefined : 0;
    const { target, source } = await followPostCopy(deps, input, call, tries);
    if (source.answered && source.view !== null) await deps.hypervisor.undefine(input.source, input.instance);
    if (target.answered && target.view !== null) return await arrived(deps, input, target.view);
    return { undone: true };
  } catch (error) {
    if (!(error instanceof DroverError) || error.code !== 'PostCopyFailed') throw error;
    await record(deps, input, { state: 'failed', ...none, reason: error.message });
    const patch = {
      host: input.target.name,
      state: 'error' as const,
      powerState: 'migrating',
      fault: error.message,
    };
    return { undone: false, patch, cleanup: [] };
  }
}

async function arrived(deps: HypervisorDeps, input: MigrateInput, view: GuestView): Promise<UndoAnswer> {
  const figures = await deps.hypervisor.completedMigration(input.target, input.instance).catch(() => null);
  await record(deps, input, {
    state: 'completed',
    ...(figures ?? none),
    reason: 'found on the target when it was to be undone',
  });
  const patch = { host: input.target.name, state: stateSeen('active', view.power), powerState: view.power };
  return { undone: false, patch, cleanup: input.cleanup };
}

async function ended(deps: HypervisorDeps, input: MigrateInput): Promise<UndoAnswer> {
  await record(deps, input, { state: 'cancelled', ...none, reason: 'undone' });
  return { undone: true };
}

const none = { downtimeMs: null, totalMs: null, transferredBytes: null };

/** A record that a dead attempt left open. The inventory keeps the first end that it was told. */
async function record(deps: HypervisorDeps, input: MigrateInput, end: MigrationEnd): Promise<void> {
  await deps.inventory.migrationEnded(input.migration, end).catch(() => undefined);
}
