/** The guests that are struck, and what they must have been afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import { getInstance } from '../../../activities/inventory/instances.js';
import type { Instance } from '../../../model/instance.js';
import { until } from '../../temporal/helpers.js';
import type { Tick } from '../judge.js';
import type { KillSite } from './site.js';

export interface Guest {
  id: string;
  name: string;
  disk: 'shared' | 'local';
}

/** `each` on shared storage and as many on that of their own host, all on the first host, counting. */
export async function makeGuests({ world, inventory }: KillSite, each: number): Promise<Guest[]> {
  const made = (['shared', 'local'] as const).flatMap((disk) =>
    Array.from({ length: each }, (_, index) => ({ name: `${disk}-${index + 1}`, host: 'host1', disk })),
  );
  // Booting is the hardest work that there is here: a few at a time.
  for (let from = 0; from < made.length; from += 4) await world.guests(...made.slice(from, from + 4));
  const guests: Guest[] = [];
  for (const { name, disk } of made) guests.push({ id: (await getInstance(inventory, name)).id, name, disk });
  return guests;
}

export const rowOf = ({ inventory }: KillSite, { id }: Guest): Promise<Instance> =>
  getInstance(inventory, id);

export async function lastTick({ world }: KillSite, { name }: Guest): Promise<Tick> {
  const last = (await world.judge.ticks(name)).at(-1);
  if (!last) throw new Error(`${name} has never counted`);
  return last;
}

/** Waits until it counts on that host, in the boot that it is in now; answers its last count. */
export async function counting(site: KillSite, guest: Guest, host: string): Promise<Tick> {
  const before = await lastTick(site, guest);
  return until(
    `${guest.name} counts on ${host}`,
    async () => {
      const now = await lastTick(site, guest);
      const further = now.boot !== before.boot || now.n !== before.n;
      return now.host === host && further ? now : undefined;
    },
    180_000,
  );
}

/** Nothing is open on any of them and every host is up: the janitor has settled what was left. Answers what is not. */
export async function settled(site: KillSite, guests: readonly Guest[], limitMs: number): Promise<string[]> {
  const end = Date.now() + limitMs;
  for (;;) {
    const open: string[] = [];
    for (const host of await site.world.hosts())
      if (host.state !== 'up') open.push(`${host.name} is ${host.state}`);
    for (const guest of guests) {
      const { name, task, needsRepair, powerState } = await rowOf(site, guest);
      const alive = (await site.world.judge.copies(name)).length;
      if (alive === 0 && powerState === 'running') open.push(`${name} is said to run, and does not`);
      if (task !== null) open.push(`${name}: ${task} is open`);
      if (needsRepair !== null) open.push(`${name} needs repair: ${needsRepair}`);
      if (powerState === 'unknown') open.push(`${name}: its power is unknown`);
    }
    if (open.length === 0 || Date.now() > end) return open;
    await sleep(500);
  }
}

/**
 * However they were left: what is held of a place before is given back, those that are off are started, and those that
 * are elsewhere are moved to `host`; null leaves them where they are.
 */
export async function gather(site: KillSite, guests: readonly Guest[], host: string | null): Promise<void> {
  const many = async (operation: string, some: readonly Guest[], input: Record<string, unknown>) => {
    await Promise.all(some.map(({ id }) => site.begin(operation, id, input)));
    for (const { id, name } of some) {
      const end = await site.end(id);
      if (end !== 'done') throw new Error(`${operation} of ${name}, which nothing disturbs, ended ${end}`);
    }
  };
  const those = async (which: (row: Instance) => boolean): Promise<Guest[]> => {
    const found = await Promise.all(
      guests.map(async (guest) => (which(await rowOf(site, guest)) ? [guest] : [])),
    );
    return found.flat();
  };
  await many('instance.confirm-resize', await those(({ state }) => state === 'resized'), {});
  const stopped = await those(({ state }) => state === 'stopped');
  const before = await Promise.all(stopped.map((guest) => lastTick(site, guest)));
  await many('instance.start', stopped, {});
  for (const [index, { name }] of stopped.entries())
    await site.world.judge.waitForTick(name, 1, 120_000, { notBoot: before[index]?.boot ?? '' });
  if (host !== null) await many('instance.live-migrate', await those((row) => row.host !== host), { host });
}
