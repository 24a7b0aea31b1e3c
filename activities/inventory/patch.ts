import type { InstancePatch } from '../../model/operation.js';
import { powerState } from '../../model/instance.js';
import { settleAllocations } from './allocations.js';
import type { Trx } from './database.js';
import { openIntents } from './intents.js';
import { flag, jsonOrNull, toJson } from './rows.js';
import type { InstanceRow } from './schema.js';

/** Writes what an operation observed; a deleted instance is on no host. */
export async function applyPatch(
  trx: Trx,
  row: InstanceRow,
  patch: InstancePatch,
  now: string,
): Promise<InstanceRow> {
  if (patch.state === 'deleted') await trx.deleteFrom('definitions').where('instance', '=', row.id).execute();
  return trx
    .updateTable('instances')
    .set({
      ...(patch.state === undefined ? {} : { state: patch.state }),
      ...(patch.powerState === undefined
        ? {}
        : { power_state: powerState.catch('unknown').parse(patch.powerState) }),
      ...(patch.host === undefined ? {} : { host: patch.host }),
      ...(patch.disks === undefined ? {} : { disks: toJson(patch.disks) }),
      ...(patch.fault === undefined ? {} : { fault: patch.fault }),
      ...(patch.flavor === undefined ? {} : { flavor: patch.flavor }),
      ...(patch.vcpus === undefined ? {} : { vcpus: patch.vcpus }),
      ...(patch.memoryMiB === undefined ? {} : { memory_mib: patch.memoryMiB }),
      ...(patch.resized === undefined ? {} : { resized: jsonOrNull(patch.resized) }),
      ...whyColumns(row, patch),
      ...(patch.lock === undefined ? {} : lockColumns(patch.lock)),
      ...(patch.movePolicy === undefined ? {} : { move_policy: jsonOrNull(patch.movePolicy) }),
      ...(patch.restartPolicy === undefined ? {} : { restart_policy: patch.restartPolicy }),
      ...(patch.haPolicy === undefined ? {} : { ha_policy: patch.haPolicy }),
      ...(patch.serverGroup === undefined ? {} : { server_group: patch.serverGroup }),
      ...(patch.state === 'deleted' ? { host: null } : {}),
      updated_at: now,
    })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** What a state came from is told only as long as the state lasts; saved memory belongs to a suspended instance. */
function whyColumns({ state: was }: InstanceRow, patch: InstancePatch) {
  const { state = was, cause = patch.happened?.cause, saved, restartDue } = patch;
  const changed = state !== was;
  return {
    ...(cause === undefined && !changed ? {} : { cause: cause ?? null }),
    ...(restartDue === undefined && !changed ? {} : { restart_due: flag(restartDue === true) }),
    ...(saved === undefined && state === 'suspended' ? {} : { saved: jsonOrNull(saved ?? null) }),
  };
}

const lockColumns = (lock: NonNullable<InstancePatch['lock']> | null) => ({
  locked: flag(lock !== null),
  lock_reason: lock?.reason ?? null,
  locked_by: lock?.by ?? null,
});

/**
 * What an operation writes when it has done or undone all it could: the allocations equal the row again, and
 * the instance needs repair when something is left. Only who has `looked` at what was left before may find
 * that nothing is: an operation that runs on a broken instance knows of its own steps alone.
 */
export async function settle(
  trx: Trx,
  row: InstanceRow,
  left: readonly string[],
  { looked }: { looked: boolean },
): Promise<InstanceRow> {
  await settleAllocations(trx, row);
  const sentences = left.length > 0 ? left : (await openIntents(trx, row.id)).map((intent) => intent.says);
  const before = looked ? null : row.needs_repair;
  return trx
    .updateTable('instances')
    .set({ needs_repair: sentences.length === 0 ? before : sentences.join('; ') })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}
