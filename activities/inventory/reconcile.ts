import type { ErrorRecord } from '../../model/errors.js';
import { DroverError } from '../../model/errors.js';
import type { Instance } from '../../model/instance.js';
import type { InstancePatch } from '../../model/operation.js';
import type { ReconciledInput } from '../types.js';
import type { Trx } from './database.js';
import { closeIntents } from './intents.js';
import { asOwner, type OwnershipDeps } from './ownership.js';
import { applyPatch, settle } from './patch.js';
import { instanceOf, toJson } from './rows.js';
import type { InstanceRow } from './schema.js';

/**
 * The caller has looked at what its predecessor left, and undid or accepted it. One transaction closes the
 * predecessor in the records and makes row and allocations true; then the caller begins again. Idempotent.
 */
export async function reconciled(
  deps: OwnershipDeps,
  input: ReconciledInput,
): Promise<{ instance: Instance }> {
  const { owner } = input;
  return asOwner(deps, owner, async (trx, row) => {
    const mine = await trx
      .selectFrom('operations')
      .select(['phase', 'kind'])
      .where('id', '=', owner.operation)
      .executeTakeFirstOrThrow();
    if (mine.phase !== 'reconciling') return { instance: instanceOf(row) };
    const now = deps.inventory.now();
    const lost = lostError(`${mine.kind} ${owner.operation}`, input);
    await closePredecessors(trx, row.id, owner.operation, {
      error: toJson(lost),
      left_over: toJson(input.left),
      ended_at: now,
    });
    await closeIntents(trx, input.settled);
    const patched = await applyPatch(trx, row, stayDeleted(row, input.patch), now);
    const settled = await settle(trx, patched, input.left, { looked: true });
    await trx
      .updateTable('operations')
      .set({ phase: 'reconciled' })
      .where('id', '=', owner.operation)
      .execute();
    return { instance: instanceOf(settled) };
  });
}

/** A deleted instance may have left things behind, and then no guest is the truth, not an error. */
function stayDeleted(row: InstanceRow, patch: InstancePatch): InstancePatch {
  return row.state === 'deleted' && patch.powerState !== 'running' && patch.powerState !== 'paused'
    ? {}
    : patch;
}

/** Not only the one before: an operation that was lost while it reconciled left its own predecessor open. */
async function closePredecessors(
  trx: Trx,
  instance: string,
  own: string,
  end: { error: string; left_over: string; ended_at: string },
): Promise<void> {
  await trx
    .updateTable('operations')
    .set({ state: 'failed', ...end })
    .where('instance', '=', instance)
    .where('id', '<>', own)
    .where('ended_at', 'is', null)
    .execute();
}

const lostError = (by: string, input: ReconciledInput): ErrorRecord =>
  new DroverError(
    'Cancelled',
    `its workflow ended without closing it (terminated or lost); reconciled by ${by}${input.note === '' ? '' : `: ${input.note}`}`,
    { details: { reconciledBy: input.owner.operation, left: input.left } },
  ).toRecord();
