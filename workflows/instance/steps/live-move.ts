import type { Answer, MigrateInput, PlacementRequest } from '../../../activities/types.js';
import type { HostRef } from '../../../model/host.js';
import type { MovePolicy } from '../../../model/instance.js';
import type { IntentCall } from '../../../model/operation.js';
import { intent, type Ctx } from '../../ctx.js';
import { probeStorage, refuseCopies } from '../probe-storage.js';
import type { MoveAsks } from './move-asks.js';

export interface LiveMove {
  source: HostRef;
  room: PlacementRequest;
  bandwidthMiBs: number | null;
  timeoutSeconds: number;
  waitSeconds: number;
  noProgressSeconds: number;
  policy: MovePolicy;
  asks: MoveAsks;
  /** Told as soon as it is so, since what comes then may fail. */
  chosen(target: HostRef, migration: string): void;
}

/** What the caller commits, the guest being on the target. */
export interface LiveMoved {
  target: HostRef;
  cleanup: IntentCall[];
  storage: 'block' | 'shared';
  figures: Answer<'migrateGuest'>;
}

/** One attempt to move a guest to one host: claims it, finds out which disks must be copied, and moves the guest. */
export async function liveMove(ctx: Ctx, how: LiveMove): Promise<LiveMoved> {
  const { id, name, disks } = ctx.instance;
  const { source } = how;
  ctx.phase('placing', 'choose a host and claim room and migration slots');
  const claim = ctx.id();
  const { host: target } = await ctx.call(
    'claimHost',
    { claim, ...how.room, waitSeconds: how.waitSeconds },
    { undo: intent('releaseClaim', { claim }, `the claim on the target`) },
  );
  how.chosen(target, '');

  ctx.phase('probing', `which disks do ${source.name} and ${target.name} share?`);
  // What is only read is never copied, and above all never removed: others may read it too.
  const written = disks.filter((disk) => !disk.readonly);
  const local = await probeStorage(ctx, written, source, target);
  if (how.room.storage === 'shared') refuseCopies(local, source, target);
  const cleanup: IntentCall[] = [];
  for (const disk of local) {
    const what = { instance: id, path: disk.path };
    const facts = await ctx.call('diskFacts', { path: disk.path, format: disk.format }, { on: source });
    await ctx.call(
      'prepareDisk',
      { ...what, format: facts.format, bytes: facts.bytes },
      {
        on: target,
        undo: intent(
          'removeDisk',
          { ...what, onlyIfMade: true },
          `the half copied disk ${disk.path} on ${target.name}`,
          target,
        ),
      },
    );
    cleanup.push(
      intent('removeDisk', what, `the old copy of the disk ${disk.path} on ${source.name}`, source),
    );
  }

  const { bandwidthMiBs, timeoutSeconds, noProgressSeconds, policy } = how;
  const move: MigrateInput = {
    migration: ctx.id(),
    instance: id,
    name,
    source,
    target,
    copy: local.map((disk) => disk.target),
    disks,
    bandwidthMiBs,
    timeoutSeconds,
    noProgressSeconds,
    policy,
    cleanup,
  };
  how.chosen(target, move.migration);
  ctx.phase(
    'moving',
    `${source.name} → ${target.name}, ${local.length ? 'copying its disks' : 'on shared storage'}`,
  );
  const figures = await moved(ctx, move, how.asks);
  return { target, cleanup, storage: local.length > 0 ? 'block' : 'shared', figures };
}

/** While it runs it may be aborted, and brought to its end. */
function moved(ctx: Ctx, move: MigrateInput, asks: MoveAsks): Promise<Answer<'migrateGuest'>> {
  const undo = intent('undoMigrate', move, `the migration of ${move.name} to ${move.target.name}`);
  const { result, abort } = ctx.abortable(() => ctx.call('migrateGuest', move, { undo }));
  asks.underway = { move, abort, forced: null };
  return result.finally(() => {
    asks.underway = null;
  });
}
