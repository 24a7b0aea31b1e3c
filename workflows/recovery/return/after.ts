/** What follows once a host is readmitted: what is said of its guests is made true, and what left it may come back. */
import type { Readmitted, ReturnedGuests } from '../../../activities/types.js';
import type { HostCtx } from '../../ctx.js';
import { pool } from '../../pool.js';
import { asDroverError } from '../../unwind.js';

const repairsAtATime = 4;
/** Migrations have their slots besides: who finds none is refused, and named. */
const movesAtATime = 2;

/** What was never evacuated is off since its host was lost: an ordinary repair writes that down, and why. */
export async function repairThere(here: ReturnedGuests['here'], ctx: HostCtx): Promise<string[]> {
  const failed: string[] = [];
  ctx.phase('settling', `${here.length} instances that were never evacuated`);
  await pool(
    here,
    repairsAtATime,
    () => !ctx.cancelled(),
    async ({ instance, name }) => {
      try {
        await ctx.child('instance.repair', { id: instance, name });
      } catch (cause) {
        failed.push(`${name} is left to the janitor: ${asDroverError(cause).message}`);
      }
    },
  );
  return failed.toSorted();
}

export async function moveBack(
  host: string,
  evacuated: Readmitted['evacuated'],
  ctx: HostCtx,
): Promise<{ moved: string[]; not_moved: string[] }> {
  const moved: string[] = [];
  const refused: string[] = [];
  const { notStarted } = await pool(
    evacuated,
    movesAtATime,
    () => !ctx.cancelled(),
    async ({ instance, name }) => {
      ctx.phase('moving back', `${moved.length + refused.length} of ${evacuated.length}`);
      try {
        await ctx.child('instance.live-migrate', { id: instance, name }, { host });
        moved.push(name);
      } catch (cause) {
        refused.push(`${name}: ${asDroverError(cause).message}`);
      }
    },
  );
  const cut = notStarted.map(({ name }) => `${name}: the readmission was cancelled before its turn`);
  return { moved: moved.toSorted(), not_moved: [...refused, ...cut].toSorted() };
}
