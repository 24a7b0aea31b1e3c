/**
 * What instances take of hosts. The rule: an instance has one permanent allocation, on the host that its row names;
 * and while it is resized another one for what it was, so that there is a way back (held.ts).
 */
import type { Trx } from './database.js';
import { heldId, heldOf } from './held.js';
import { refreshUsage } from './host-usage.js';
import { openIntents } from './intents.js';
import type { AllocationRow, InstanceRow } from './schema.js';

/** Ids of the rows: a claim bears its caller's id; its source gives a slot; what never was a claim is named by its instance. */
export const sourceSlotId = (claim: string): string => `${claim}/source`;
export const permanentId = (instance: string): string => `instance/${instance}`;

/** Writes new allocations. All that writes or removes some goes through this file, which keeps the usage of hosts true. */
export async function addAllocations(trx: Trx, rows: readonly AllocationRow[]): Promise<void> {
  for (const row of rows) await trx.insertInto('allocations').values(row).execute();
  await refreshUsage(
    trx,
    rows.map((row) => row.host),
  );
}

/** Removes those of `ids` that are there; `claims`: only those that an operation still holds. */
export async function removeAllocations(
  trx: Trx,
  ids: readonly string[],
  { claims = false }: { claims?: boolean } = {},
): Promise<void> {
  if (ids.length === 0) return;
  const gone = await trx
    .deleteFrom('allocations')
    .where('id', 'in', ids)
    .$if(claims, (query) => query.where('operation', 'is not', null))
    .returning('host')
    .execute();
  await refreshUsage(
    trx,
    gone.map((row) => row.host),
  );
}

/**
 * Makes the allocations of an instance equal to its row: the allocation on its host becomes permanent (a claim
 * there loses its operation and its slots), all others go. Only a claim stays whose release is still an open
 * intent: undoing got stuck before it, so that what it was claimed for may still be there.
 */
export async function settleAllocations(trx: Trx, instance: InstanceRow): Promise<void> {
  const all = await trx
    .selectFrom('allocations')
    .selectAll()
    .where('instance', '=', instance.id)
    .orderBy('id')
    .execute();
  const home = instance.state === 'deleted' ? null : instance.host;
  const here = all.filter((row) => row.host === home && row.id !== heldId(instance.id));
  const kept = here.find((row) => row.operation === null) ?? here.find((row) => !row.id.endsWith('/source'));
  const pending = instance.state === 'deleted' ? new Set<string>() : await pendingReleases(trx, instance.id);
  const gone = all.filter((row) => row !== kept && !pending.has(row.id)).map((row) => row.id);
  await removeAllocations(trx, gone);
  if (home !== null) await keepOnly(trx, instance, home, kept);
  const held = heldOf(instance);
  if (held !== null) await addAllocations(trx, [held]);
}

async function keepOnly(
  trx: Trx,
  instance: InstanceRow,
  host: string,
  kept: AllocationRow | undefined,
): Promise<void> {
  const values = { operation: null, vcpus: instance.vcpus, memory_mib: instance.memory_mib, slots: 0 };
  if (kept !== undefined) {
    await trx.updateTable('allocations').set(values).where('id', '=', kept.id).execute();
    await refreshUsage(trx, [host]);
    return;
  }
  await addAllocations(trx, [{ id: permanentId(instance.id), instance: instance.id, host, ...values }]);
}

async function pendingReleases(trx: Trx, instance: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const { activity, input } of await openIntents(trx, instance)) {
    const claim = input['claim'];
    if (activity !== 'releaseClaim' || typeof claim !== 'string') continue;
    ids.add(claim);
    ids.add(sourceSlotId(claim));
  }
  return ids;
}
