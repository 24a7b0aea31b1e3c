import type { HostRef } from '../../../model/host.js';
import type { Disk } from '../../../model/instance.js';
import type { InstancePatch, IntentCall } from '../../../model/operation.js';
import { intent, type Ctx } from '../../ctx.js';
import { copyDisks, reserveDisks } from './copy-disks.js';
import { startThere, stopHere } from './stop-and-start.js';

export interface ColdMove {
  source: HostRef;
  /** Room there is claimed already. */
  target: HostRef;
  /** The disks that the two hosts do not share (`probeStorage`): they are copied. */
  local: Disk[];
  /** Old copies of them on the target are replaced; otherwise a file that is there is somebody's, and refused. */
  replaces?: boolean;
  /** It runs now: it is asked to go down for so long, and then forced. */
  runs: boolean;
  /** Whether it is to run there; default: if it runs now. */
  starts?: boolean;
  graceSeconds: number;
  /** What is done there to the guest that is off: another size. Undone before the definition goes back. */
  there?: () => Promise<void>;
  /** What the instance is once it is there, and what is to be cleaned up then. Default: where it was active, it is. */
  patch?: InstancePatch;
  cleanup?: IntentCall[];
}

/** What the caller commits. */
export interface ColdMoved {
  patch: InstancePatch;
  cleanup: IntentCall[];
  storage: 'shared' | 'block';
  bytes: number;
  /** How long it was off, as the workflow saw it. */
  offMs: number;
}

/**
 * Moves a guest that may be off meanwhile: stops it, brings disks and definition over, starts it there. The caller
 * has claimed the target and probed the storage, and commits what this answers. Should anything fail it is taken back,
 * and the guest runs on its source again; once it runs on the target that is the truth, and the undo says so.
 *
 * What is only rubbish on the target is registered before the guest is stopped, and so undone after it was started
 * again: a target that dies does not keep it down. And from the source the definition goes before the guest starts on
 * the target: there are never two that could be started while it runs.
 */
export async function coldMove(ctx: Ctx, move: ColdMove): Promise<ColdMoved> {
  const { id, name } = ctx.instance;
  const { source, target, local, replaces = false, runs, starts = runs, graceSeconds } = move;
  const guest = { instance: id, name };
  const ways = { ...guest, source, target };
  const storage = local.length > 0 ? 'block' : 'shared';
  // A second try of this operation with this target, after a reset, is the same move.
  const migration = `${ctx.request.id}/${target.name}`;
  const cleanup = [
    ...(move.cleanup ?? local.map((disk) => removal(id, disk, source))),
    intent('closeMigration', { migration, state: 'completed', reason: null }, `the record of the migration`),
  ];
  const patch = move.patch ?? {
    host: target.name,
    ...(starts ? { state: 'active' as const, powerState: 'running' } : {}),
  };

  await ctx.call(
    'checkColdMove',
    { ...ways, disks: local },
    {
      undo: intent(
        'dropDefinition',
        { ...guest, host: target },
        `the definition of ${name} on ${target.name}`,
      ),
    },
  );
  await reserveDisks(ctx, { local, target, replaces });
  await ctx.call(
    'recordMigration',
    { migration, source: source.name, target: target.name, storage },
    {
      undo: intent(
        'closeMigration',
        { migration, state: 'failed', reason: 'undone' },
        `the record of the migration`,
      ),
    },
  );

  const begun = ctx.now();
  if (runs) await stopHere(ctx, source, graceSeconds);
  const bytes = await copyDisks(ctx, { local, source, target, replaces });
  ctx.phase('moving', `the definition from ${source.name} to ${target.name}`);
  await ctx.call('copyDefinition', ways);
  await ctx.call(
    'dropDefinition',
    { ...guest, host: source },
    {
      undo: intent(
        'copyDefinition',
        { ...guest, source: target, target: source },
        `the definition of ${name} may be on ${target.name} only`,
      ),
    },
  );
  await move.there?.();
  if (starts) await startThere(ctx, target, { patch, cleanup });
  return { patch, cleanup, storage, bytes, offMs: ctx.now() - begun };
}

export const removal = (instance: string, { path }: Pick<Disk, 'path'>, host: HostRef): IntentCall =>
  intent('removeDisk', { instance, path }, `the old copy of the disk ${path} on ${host.name}`, host);
