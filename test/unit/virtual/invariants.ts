/** What must hold whenever no operation runs on an instance, whatever went wrong before. */
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { seen } from './seen.js';

export const hostNames = ['h1', 'h2', 'h3'];

/** Sentences of what does not hold; empty when all is well. `keptDisks`: the operation was told to leave them. */
export async function broken(
  cloud: VirtualCloud,
  id: string,
  { keptDisks = false }: { keptDisks?: boolean } = {},
): Promise<string[]> {
  const { inventory } = cloud;
  const wrong: string[] = [];
  const must = (holds: boolean, what: string) => {
    if (!holds) wrong.push(what);
  };
  const it = await cloud.instance(id);
  const repair = it.needsRepair !== null;
  const world = await seen(cloud, id);
  const { alive } = world;
  const tell = `(${it.state} on ${it.host}, alive on ${alive.join('+') || 'none'}, repair: ${it.needsRepair})`;

  must(it.operation === null, `an operation still owns it ${tell}`);
  must(it.state !== 'building', 'it is building and nobody builds it');
  must(alive.length <= 1, `it runs twice ${tell}`);
  const [where] = alive;
  if (where !== undefined) {
    const told = it.state === 'error' || (it.host === where && ['active', 'paused'].includes(it.state));
    must(told && it.state !== 'deleted', `it runs on ${where}, which is not told ${tell}`);
    if (!repair) must(it.powerState === world.power.get(where), `its power is wrong ${tell}`);
  } else {
    must(repair || !['active', 'paused'].includes(it.state), `it is said to run ${tell}`);
    if (it.state === 'stopped') must(world.known.includes(it.host ?? ''), `no definition ${tell}`);
  }
  if (!repair) {
    const strays = world.known.filter((host) => host !== it.host || it.state === 'deleted');
    must(strays.length === 0, `a guest is left on ${strays.join()} ${tell}`);
    must(world.jobs === 0, `a migration still runs ${tell}`);
    must(world.probes.length === 0, `a probe file is left ${tell}`);
    const mine = world.disks.filter((disk) => disk.instance === id || disk.instance === null);
    const owned = mine.filter((disk) => disk.used);
    if (!keptDisks) {
      const orphans = mine.filter((disk) => !owned.includes(disk));
      must(orphans.length === 0, `disks without owner: ${JSON.stringify(orphans)} ${tell}`);
    }
    if (it.state !== 'error' && it.state !== 'deleted')
      must(owned.length === it.disks.length, `a disk is gone ${tell}`);
  }
  await allocations(cloud, id, repair, must);
  const intents = await inventory.kysely
    .selectFrom('intents')
    .select(['activity', 'operation', 'seq'])
    .where('instance', '=', id)
    .where('state', '=', 'open')
    .execute();
  if (!repair) must(intents.length === 0, `open intents, but no repair: ${JSON.stringify(intents)}`);
  const open = await inventory.kysely
    .selectFrom('operations')
    .select(['kind', 'id'])
    .where('instance', '=', id)
    .where('ended_at', 'is', null)
    .execute();
  must(open.length === 0, `open records: ${JSON.stringify(open)}`);
  return wrong;
}

/** One permanent allocation where the instance is, and no slot; an instance to repair may keep a claim beside it. */
async function allocations(
  cloud: VirtualCloud,
  id: string,
  repair: boolean,
  must: (holds: boolean, what: string) => void,
): Promise<void> {
  const it = await cloud.instance(id);
  const rows = await cloud.inventory.kysely
    .selectFrom('allocations')
    .selectAll()
    .where('instance', '=', id)
    .execute();
  const told = JSON.stringify(rows);
  const home = it.state === 'deleted' ? null : it.host;
  const permanent = rows.filter((row) => row.operation === null);
  must(permanent.length === (home === null ? 0 : 1), `allocations: ${told}`);
  must(
    permanent.every((row) => row.host === home && row.slots === 0),
    `allocation elsewhere: ${told}`,
  );
  must(
    permanent.every((row) => row.vcpus === it.vcpus && row.memory_mib === it.memoryMiB),
    `size: ${told}`,
  );
  if (!repair) must(rows.length === permanent.length, `claims or slots are left: ${told}`);
}
