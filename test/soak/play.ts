/** Plays a case to its end: everything it does, then the healing, then what must hold. */
import { readSwitches, turnSwitch } from '../../activities/recovery/switches.js';
import { restoreHost } from '../../activities/simulator/host-power.js';
import { allHosts } from '../../activities/simulator/hosts.js';
import { DroverError } from '../../model/errors.js';
import { carryOut } from './carry-out.js';
import type { Case } from './case.js';
import { judge } from './judge.js';
import type { Mutant } from './mutants.js';
import { answer } from './people.js';
import { places } from './places.js';
import { takeBack } from './take-back.js';
import { World } from './world.js';

export interface Played {
  /** Sentences of what does not hold; none when all is well. */
  wrong: string[];
  operations: number;
  runs: number;
  virtualMs: number;
  /** What happened, in names. */
  log: string;
}

/** What has not ended so long after the healing never will: the longest limits are migrations of 30 minutes. */
const mostMs = 12 * 3_600_000;
const janitorRounds = 6;

export async function play(
  one: Case,
  { mutant, log = false }: { mutant?: Mutant | undefined; log?: boolean } = {},
): Promise<Played> {
  const world = await World.open(one, log);
  const { cloud } = world;
  try {
    await mutant?.(cloud);
    const wrong = await throughAll(world, one);
    const { kysely } = cloud.inventory;
    const count = async (table: 'operations' | 'runs') =>
      (await kysely.selectFrom(table).select('id').execute()).length;
    return {
      wrong,
      operations: await count('operations'),
      runs: await count('runs'),
      virtualMs: cloud.clock.now() - cloud.clock.start,
      log: cloud.log.text(),
    };
  } finally {
    await world.close();
  }
}

async function throughAll(world: World, one: Case): Promise<string[]> {
  const { clock } = world.cloud;
  const stopJanitor = world.cloud.scheduleJanitor();
  const done: Promise<void>[] = [];
  for (const action of one.actions)
    clock.timer(action.at * 1000, () => void done.push(carryOut(world, action)));
  try {
    await clock.advance(one.heal * 1000);
    await Promise.all(done);
    await heal(world);
    const endless = [...(await ended(world)), ...(await takeBack(world)), ...(await ended(world))];
    if (endless.length > 0) return endless;
    stopJanitor();
    for (let round = 0; round < janitorRounds; round += 1) {
      await clock.advance(30_000);
      await world.cloud.settle();
      await world.cloud.janitor().ending;
    }
    await tellTheDead(world);
    return [...world.bugs, ...(await judge(world))];
  } catch (error) {
    if (error instanceof DroverError) return [`it broke off: ${error.message}`];
    throw error;
  }
}

/** Every fault goes, and whoever paused a run lets it go on. */
async function heal({ cloud, accepted }: World): Promise<void> {
  const { datacenter, temporal, log } = cloud;
  log.add('world', 'all', 'healed');
  await datacenter.transact((tx) => {
    for (const { name } of allHosts(tx)) restoreHost(tx, name);
    tx.run('delete from faults');
    tx.run('delete from blind');
  });
  for (const zone of await switchedZones(cloud))
    await turnSwitch(cloud.inventory, {
      zone,
      mode: 'armed',
      reason: 'healed',
      by: 'soak',
      forSeconds: null,
    });
  for (const place of Object.values(places))
    if (temporal.of(place) === undefined) temporal.startWorker(place);
  for (const { run } of accepted.values()) {
    if (run.type !== 'run-runbook' || !run.open) continue;
    await run.ask('resume', { by: 'soak', role: 'admin', comment: null }).catch(() => undefined);
  }
}

async function switchedZones({ inventory }: World['cloud']): Promise<(string | null)[]> {
  const { history } = await readSwitches(inventory);
  return [...new Set(history.map(({ zone }) => zone))];
}

/** Guests that died with the power of their host are told by nobody: an operator asks, one after the other. */
async function tellTheDead(world: World): Promise<void> {
  const { datacenter, clock } = world.cloud;
  const dead = await datacenter.transact((tx) =>
    tx.all<{ id: string }>(
      `select distinct id from guests where power = 'shutoff' and reason = 'unknown' order by id`,
    ),
  );
  for (const { id } of dead)
    await clock.drive(world.cloud.operation('instance.repair', { instance: id }).run.ended);
}

/** Lets time pass until only the janitor is left; sentences of what never ends. */
async function ended(world: World): Promise<string[]> {
  const { cloud } = world;
  const { clock, temporal } = cloud;
  const begun = clock.now();
  const left = () => temporal.open.filter(({ type }) => type !== 'janitor');
  while (left().length > 0) {
    // Whoever locked an instance comes back: what confirms itself later is tried again until then.
    await cloud.inventory.kysely.updateTable('instances').set({ locked: 0 }).execute();
    // So do those who are asked something.
    await answer(world, 'approve');
    await answer(world, 'attest');
    if (clock.now() - begun > mostMs) {
      const asks = await cloud.inventory.kysely
        .selectFrom('incidents')
        .select(['host', 'waits_for'])
        .where('ended_at', 'is', null)
        .execute();
      const told = asks.map(({ host, waits_for: what }) => ` (${host}: ${what})`).join('');
      return left().map(({ waits }) => `it never ends: ${waits}${told}`);
    }
    await clock.advance(5000);
  }
  return [];
}
