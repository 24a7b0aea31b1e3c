/** What instances take of hosts. The rule: an instance has one permanent allocation, on the host that its row names. */
import type { Trx } from './database.js';
import { openIntents } from './intents.js';
import type { AllocationRow, InstanceRow } from './schema.js';

/** Ids of the rows: a claim bears its caller's id; its source gives a slot; what never was a claim is named by its instance. */
export const sourceSlotId = (claim: string): string => `${claim}/source`;
export const permanentId = (instance: string): string => `instance/${instance}`;

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
  const here = all.filter((row) => row.host === home);
  const kept = here.find((row) => row.operation === null) ?? here.find((row) => !row.id.endsWith('/source'));
  const pending = instance.state === 'deleted' ? new Set<string>() : await pendingReleases(trx, instance.id);
  const gone = all.filter((row) => row !== kept && !pending.has(row.id)).map((row) => row.id);
  if (gone.length > 0) await trx.deleteFrom('allocations').where('id', 'in', gone).execute();
  if (home !== null) await keepOnly(trx, instance, home, kept);
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
    return;
  }
  const id = permanentId(instance.id);
  await trx
    .insertInto('allocations')
    .values({ id, instance: instance.id, host, ...values })
    .execute();
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
