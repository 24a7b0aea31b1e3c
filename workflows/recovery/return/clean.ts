/** What a host that came back has of others is removed, and proven gone by looking once more. */
import type { ReturnedGuests, StaleGuest } from '../../../activities/types.js';
import { DroverError } from '../../../model/errors.js';
import type { HostRef } from '../../../model/host.js';
import type { HostCtx } from '../../ctx.js';
import { pool } from '../../pool.js';
import { asDroverError } from '../../unwind.js';

/** Removals at a time: the host has just booted. */
const atATime = 4;

export interface Cleaned {
  here: ReturnedGuests['here'];
  /** Names of those whose definition was removed; of them `ended` ran. */
  removed: string[];
  ended: string[];
  /** Nobody's: left alone, and why. */
  unknown: string[];
  says: string[];
}

export async function clean(host: HostRef, ctx: HostCtx): Promise<Cleaned> {
  ctx.phase('cleaning', 'comparing its guests with the inventory');
  const { names: autostarted } = await ctx.call('stopAutostart', { host });
  const { stale } = await ctx.call('listReturned', { host });
  const { ended, failed } = await removeAll(host, stale, ctx);
  ctx.phase('cleaning', 'looking once more whether they are gone');
  const after = await ctx.call('listReturned', { host });
  prove(host.name, after, failed);
  const removed = stale.filter(({ held }) => !held).map(({ name }) => name);
  return {
    here: after.here,
    removed,
    ended,
    unknown: after.unknown.map(({ name, power, says }) => `${name} (${power}): ${says}`),
    says: [
      ...(ended.length === 0 ? [] : [`second copies were ended: ${ended.join(', ')}`]),
      ...(removed.length === 0 ? [] : [`stale guests removed: ${removed.join(', ')}`]),
      ...(autostarted.length === 0 ? [] : [`started by the host no more: ${autostarted.join(', ')}`]),
      ...(after.unknown.length === 0
        ? []
        : [`guests of nobody left alone: ${after.unknown.map(({ name }) => name).join(', ')}`]),
      ...(after.missing.length === 0
        ? []
        : [`the host has no guest of ${after.missing.map(({ name }) => name).join(', ')}`]),
    ],
  };
}

/** One that can't be removed keeps none of the others. */
async function removeAll(
  host: HostRef,
  stale: readonly StaleGuest[],
  ctx: HostCtx,
): Promise<{ ended: string[]; failed: Map<string, string> }> {
  const ended: string[] = [];
  const failed = new Map<string, string>();
  const going = () => !ctx.cancelled();
  // What runs first: it may be writing to a disk that somebody else writes to.
  const order = [...stale.filter((one) => !isOff(one)), ...stale.filter(isOff)];
  await pool(order, atATime, going, async (guest) => {
    try {
      if (await remove(host, guest, ctx)) ended.push(guest.name);
    } catch (cause) {
      const error = asDroverError(cause);
      if (error.code === 'Cancelled') throw error;
      failed.set(guest.instance, error.message);
    }
  });
  if (ctx.cancelled()) throw cancelled(host.name);
  return { ended: ended.toSorted(), failed };
}

async function remove(host: HostRef, guest: StaleGuest, ctx: HostCtx): Promise<boolean> {
  const { instance, name } = guest;
  try {
    return (await ctx.call('removeStale', { host, guest })).ran;
  } catch (cause) {
    const error = asDroverError(cause);
    if (error.code !== 'HypervisorError' || !error.message.includes('managed save')) throw error;
    // A saved memory that the hypervisor itself does not know of any more.
    await ctx.call('removeSavedMemory', { instance, name }, { on: host });
    return (await ctx.call('removeStale', { host, guest })).ran || !isOff(guest);
  }
}

const isOff = ({ power }: StaleGuest): boolean => power === 'shutoff' || power === 'crashed';

/** Nothing is believed of what was done: the host itself says what it has. */
function prove(
  host: string,
  { stale, autostart }: ReturnedGuests,
  failed: ReadonlyMap<string, string>,
): void {
  const left = [
    ...stale.map(({ instance, name, power }) => {
      const why = failed.get(instance);
      return `${name} (${power}${why === undefined ? '' : `: ${why}`})`;
    }),
    ...autostart.map((name) => `autostart of ${name}`),
  ];
  if (left.length === 0) return;
  throw new DroverError('HypervisorError', `${host} stays quarantined, it still has: ${left.join('; ')}`, {
    details: { host, left },
    hint: `remove it there, then ask again: drover host readmit ${host}`,
  });
}

export const cancelled = (host: string): DroverError =>
  new DroverError('Cancelled', `the readmission of ${host} was cancelled; it stays quarantined`);
