/** What the inventory says beside the instance's row: allocations, intents, and the records of what was done. */
import { heldId } from '../../activities/inventory/held.js';
import type { Inventory } from '../../activities/inventory/database.js';
import { listMigrations } from '../../activities/inventory/records.js';
import type { Instance } from '../../model/instance.js';

/** Sentences of what disagrees with the row. One that is to be repaired may keep claims and intents. */
export async function ledgerOf(inventory: Inventory, it: Instance): Promise<string[]> {
  const repair = it.needsRepair !== null;
  return [
    ...(await allocations(inventory, it, repair)),
    ...(repair ? [] : [...(await intents(inventory, it)), ...(await migrations(inventory, it))]),
    ...(await operations(inventory, it)),
  ];
}

/** One permanent allocation where the instance is, and no slot; while it is resized, what going back needs. */
async function allocations({ kysely }: Inventory, it: Instance, repair: boolean): Promise<string[]> {
  const all = await kysely.selectFrom('allocations').selectAll().where('instance', '=', it.id).execute();
  const home = it.state === 'deleted' ? null : it.host;
  const permanent = all.filter((row) => row.operation === null && row.id !== heldId(it.id));
  const held = all.filter((row) => row.id === heldId(it.id));
  const fits = permanent.every(
    (row) =>
      row.host === home && row.slots === 0 && row.vcpus === it.vcpus && row.memory_mib === it.memoryMiB,
  );
  const wrong = permanent.length !== (home === null ? 0 : 1) || !fits;
  const claims = !repair && all.length > permanent.length + held.length;
  return [
    ...wrongHold(it, held),
    ...(wrong ? [`its allocations are not what it takes: ${JSON.stringify(permanent)}`] : []),
    ...(claims ? [`claims or slots are left: ${JSON.stringify(all)}`] : []),
  ];
}

/** On another host all that it had; where it still is, what it had more of. */
function wrongHold(
  it: Instance,
  held: readonly { host: string; vcpus: number; memory_mib: number }[],
): string[] {
  const was = it.state === 'deleted' ? null : it.resized;
  const same = was?.host === it.host;
  const vcpus = Math.max(0, (was?.vcpus ?? 0) - (same ? it.vcpus : 0));
  const memory = Math.max(0, (was?.memoryMiB ?? 0) - (same ? it.memoryMiB : 0));
  const wanted = vcpus > 0 || memory > 0 ? [`${was?.host} ${vcpus}/${memory}`] : [];
  const found = held.map((row) => `${row.host} ${row.vcpus}/${row.memory_mib}`);
  if (wanted.join() === found.join()) return [];
  return [`for the way back it holds ${found.join() || 'nothing'} instead of ${wanted.join() || 'nothing'}`];
}

async function intents({ kysely }: Inventory, it: Instance): Promise<string[]> {
  const open = await kysely
    .selectFrom('intents')
    .select(['says', 'kind'])
    .where('instance', '=', it.id)
    .where('state', '=', 'open')
    .execute();
  return open.length > 0 ? [`open intents, but no repair: ${JSON.stringify(open)}`] : [];
}

/** Each has an end, and the last one that arrived is where the instance is. */
async function migrations(inventory: Inventory, it: Instance): Promise<string[]> {
  const [last] = await listMigrations(inventory, { instance: it.id });
  if (!last) return [];
  const told = `${last.source} → ${last.target} is ${last.state}: ${last.reason}`;
  if (last.state === 'running') return [`the record of a migration is open: ${told}`];
  if (it.host === null || it.state === 'deleted') return [];
  // Switched over for good before all of its memory was there: it is on its target, whole or lost.
  const over = last.state === 'completed' || last.ladder.some(({ rung }) => rung === 'post-copy');
  const home = over ? last.target : last.source;
  return home === it.host ? [] : [`the record of the last migration is wrong: ${told}`];
}

async function operations({ kysely }: Inventory, it: Instance): Promise<string[]> {
  const open = await kysely
    .selectFrom('operations')
    .select(['kind', 'id'])
    .where('instance', '=', it.id)
    .where('ended_at', 'is', null)
    .execute();
  return open.length > 0 ? [`open records: ${JSON.stringify(open)}`] : [];
}
