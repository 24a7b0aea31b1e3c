/** What people do after an outage: recoveries that were broken off go on, and the hosts that were cut off are taken back. */
import { restoreHost } from '../../activities/simulator/host-power.js';
import type { Ending } from '../../virtual/ending.js';
import { answer } from './people.js';
import type { World } from './world.js';

const rounds = 3;

/** Sentences of what could not be taken back. */
export async function takeBack(world: World): Promise<string[]> {
  let wrong: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    wrong = [];
    for (const host of await broken(world)) {
      // Whatever it ends with: what it leaves is judged.
      await through(world, 'host.recover', host);
    }
    for (const host of await fenced(world)) {
      // One whose power was cut by hand, or by its BMC, is given it again.
      await world.cloud.datacenter.transact((tx) => restoreHost(tx, host));
      const ending = await through(world, 'host.readmit', host);
      if (ending.end === 'done') continue;
      wrong.push(`not taken back: ${host}: ${ending.end === 'failed' ? ending.error.message : ending.end}`);
    }
    if (wrong.length === 0 && (await broken(world)).length === 0) return [];
  }
  return wrong;
}

const broken = async ({ cloud }: World): Promise<string[]> =>
  (
    await cloud.inventory.kysely
      .selectFrom('incidents')
      .select('host')
      .where('ended_at', 'is', null)
      .orderBy('host')
      .execute()
  ).map(({ host }) => host);

const fenced = async ({ cloud }: World): Promise<string[]> =>
  (
    await cloud.inventory.kysely
      .selectFrom('hosts')
      .select('name')
      .where('fence', 'is not', null)
      .orderBy('name')
      .execute()
  ).map(({ name }) => name);

/** Asks for it, and answers what it asks until it has ended. */
async function through(world: World, operation: string, host: string): Promise<Ending> {
  const { cloud } = world;
  const { run } = cloud.operation(operation, { host });
  while (run.open) {
    await cloud.clock.advance(5000);
    await answer(world, 'approve');
    await answer(world, 'attest');
  }
  return run.ended;
}
