import type { PlacementRequest } from '../../../activities/types.js';
import type { HostRef } from '../../../model/host.js';
import { intent, type Ctx } from '../../ctx.js';
import type { Outcome } from '../../define.js';
import { probeStorage } from '../probe-storage.js';
import { coldMove } from './cold-move.js';

/** As a stop without a word about it. */
const graceSeconds = 60;

/**
 * A guest that could not be moved live is stopped, moved and started there: whoever allowed that knows that it is off
 * meanwhile. Nothing waits for a confirmation: it is where it was to be.
 */
export async function coldInstead(
  ctx: Ctx,
  of: { source: HostRef; target: HostRef; migration: string; room: PlacementRequest; by: string | null },
): Promise<Outcome> {
  const { source, migration, by } = of;
  const claim = ctx.id();
  ctx.phase('placing', 'it can’t be moved live: claim room to move it while it is off');
  const { host: target } = await ctx.call(
    'claimHost',
    { claim, ...of.room, host: of.target.name, waitSeconds: 0 },
    { undo: intent('releaseClaim', { claim }, `the claim on the target`) },
  );
  const says = `stopped, to be moved to ${target.name} while it is off`;
  await ctx.call('recordRung', { migration, rung: 'cold', says, by });
  const written = ctx.instance.disks.filter((disk) => !disk.readonly);
  const local = await probeStorage(ctx, written, source, target);
  const { patch, cleanup, storage, offMs } = await coldMove(ctx, {
    source,
    target,
    local,
    runs: true,
    graceSeconds,
  });
  // The point of no return: it runs on the target.
  await ctx.commit(patch, cleanup);
  return { patch, result: { from: source.name, to: target.name, storage, cold: true, offMs } };
}
