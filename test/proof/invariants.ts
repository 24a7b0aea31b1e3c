/** What must hold whenever no operation runs on an instance, whatever went wrong before. */
import { definitionOf } from '../../activities/inventory/definitions.js';
import { getInstance } from '../../activities/inventory/instances.js';
import { guestOn, viewOf } from '../../activities/simulator/guests.js';
import type { Instance } from '../../model/instance.js';
import type { World } from './case.js';
import { ledgerOf } from './ledger.js';
import { realityOf, type Reality } from './reality.js';

type Must = (holds: boolean, what: string) => void;

/** Sentences of what does not hold; empty when all is well. `keptDisks`: the operation was told to leave them. */
export async function broken(
  world: Pick<World, 'datacenter' | 'inventory'>,
  id: string,
  { keptDisks = false }: { keptDisks?: boolean } = {},
): Promise<string[]> {
  const wrong: string[] = [];
  const it = await getInstance(world.inventory, id);
  const real = await realityOf(world.datacenter, it);
  const repair = it.needsRepair !== null;
  const where = real.alive.map(({ host }) => host).join('+') || 'none';
  const tell = `(${it.state} on ${it.host}, alive on ${where}, repair: ${it.needsRepair})`;
  const must: Must = (holds, what) => {
    if (!holds) wrong.push(`${what} ${tell}`);
  };
  must(it.operation === null, 'an operation still owns it');
  must(it.state !== 'building', 'it is building and nobody builds it');
  guests(it, real, await fencedHosts(world), must);
  if (!repair) {
    must(real.migration === null, `a migration still runs: ${real.migration}`);
    must(real.probes.length === 0, `a probe file is left: ${real.probes.join()}`);
    must(real.exports.length === 0, `a disk is still offered to other hosts: ${real.exports.join()}`);
    disks(it, real, keptDisks, must);
  }
  if (!repair && it.state !== 'error')
    must(await isKept(world, it), 'how it is defined is not what is kept of it');
  for (const what of await ledgerOf(world.inventory, it)) must(false, what);
  return wrong;
}

/** Were its host lost now, it would be made again from what is kept. */
async function isKept(
  { datacenter, inventory }: Pick<World, 'datacenter' | 'inventory'>,
  { id, host }: Instance,
): Promise<boolean> {
  const guest = await datacenter.transact((tx) => guestOn(tx, host ?? '', id));
  return guest === undefined || (await definitionOf(inventory, id)) === viewOf(guest).definition;
}

/** What is stored there is left to the readmission; what is at home there waits for its evacuation. */
async function fencedHosts({ inventory }: Pick<World, 'inventory'>): Promise<Set<string>> {
  const rows = await inventory.kysely
    .selectFrom('hosts')
    .select('name')
    .where('fence', 'is not', null)
    .execute();
  return new Set(rows.map(({ name }) => name));
}

function guests(
  it: Instance,
  { alive, known, saved: everywhere, size }: Reality,
  fenced: ReadonlySet<string>,
  must: Must,
): void {
  const lost = fenced.has(it.host ?? '');
  const saved = everywhere.filter((host) => host === it.host || !fenced.has(host));
  const repair = it.needsRepair !== null;
  must(alive.length <= 1, 'it runs twice');
  const [live] = alive;
  if (live) {
    const told = it.host === live.host && ['active', 'paused', 'resized'].includes(it.state);
    must(it.state === 'error' || told, 'where it runs is not told');
    if (!repair) must(it.powerState === live.power, `its power is ${live.power}, and told ${it.powerState}`);
  } else {
    must(repair || lost || !['active', 'paused'].includes(it.state), 'it is said to run');
  }
  if (it.state === 'suspended') must(saved.includes(it.host ?? ''), 'its memory is not saved');
  else if (!repair)
    must(it.state === 'error' || saved.length === 0, `its memory is saved on ${saved.join()}`);
  if (['stopped', 'resized'].includes(it.state)) must(known.includes(it.host ?? ''), 'it has no definition');
  if (repair) return;
  const sized = size === null || size === `${it.vcpus}/${it.memoryMiB}`;
  must(it.state === 'error' || sized, `it has the size ${size}, and told ${it.vcpus}/${it.memoryMiB}`);
  // A post-copy that failed for good leaves two halves, neither of which runs, until somebody gives them up.
  const halves = it.state === 'error' && it.powerState === 'migrating';
  const there = known.filter((host) => !fenced.has(host));
  const strays = halves ? [] : there.filter((host) => host !== it.host || it.state === 'deleted');
  must(strays.length === 0, `a guest is left on ${strays.join()}`);
}

function disks(it: Instance, { files, owned, made, missing }: Reality, keptDisks: boolean, must: Must): void {
  const orphans = keptDisks ? [] : files.filter((file) => !owned.includes(file));
  must(orphans.length === 0, `disks without owner: ${orphans.join()}`);
  const notes = made.filter((file) => !files.includes(file));
  must(notes.length === 0, `notes of disks that are gone: ${notes.join()}`);
  if (it.state !== 'error' && it.state !== 'deleted')
    must(missing.length === 0, `disks are gone: ${missing.join()}`);
}
