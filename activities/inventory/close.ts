/** How an operation turns back, passes its point of no return, and ends. */
import { stateSentence } from '../../model/instance.js';
import type { Intent, IntentCall, InstancePatch, Owner } from '../../model/operation.js';
import type { FinishInput } from '../types.js';
import { settleAllocations } from './allocations.js';
import { settleHappened } from './guest-events.js';
import { closeIntents, closeUndos, openIntents, turnToCleanup } from './intents.js';
import { asOwner, requireOwner, staleOwner, withProofs, type OwnershipDeps } from './ownership.js';
import { applyPatch, settle } from './patch.js';
import { jsonOrNull, toJson } from './rows.js';

/**
 * Raises the epoch, so that steps of this operation that are still on their way fail from now on, and hands
 * out what is to be undone, newest first. An epoch from before is that of a repeated call, or of a run that was
 * reset and remembers it: the same operation, which gets the epoch that there is and goes on. The epoch of now
 * begins another unwind, as an operation does that takes back one attempt and makes the next.
 */
export async function startUnwind(
  deps: OwnershipDeps,
  { owner }: { owner: Owner },
): Promise<{ owner: Owner; intents: Intent[] }> {
  return withProofs(deps, async (trx, proofs) => {
    const row = await requireOwner(trx, deps, owner, proofs, { olderEpoch: true });
    const epoch = owner.epoch === row.epoch ? row.epoch + 1 : row.epoch;
    await trx.updateTable('instances').set({ epoch }).where('id', '=', row.id).execute();
    await trx
      .updateTable('operations')
      .set({ state: 'unwinding' })
      .where('id', '=', owner.operation)
      .execute();
    return { owner: { ...owner, epoch }, intents: await openIntents(trx, row.id, owner.operation) };
  });
}

/**
 * The point of no return: what was to be undone is moot, what is left behind is to be cleaned up. A patch with
 * a host moves the instance there: its claim on that host becomes permanent, what it took elsewhere is free.
 * Answers the open clean-ups, newest first.
 */
export async function commit(
  deps: OwnershipDeps,
  input: { owner: Owner; patch: InstancePatch; cleanup: IntentCall[] },
): Promise<{ intents: Intent[] }> {
  const { owner, patch } = input;
  return asOwner(deps, owner, async (trx, row) => {
    const patched = await applyPatch(trx, row, patch, deps.inventory.now());
    const { phase } = await trx
      .selectFrom('operations')
      .select('phase')
      .where('id', '=', owner.operation)
      .executeTakeFirstOrThrow();
    const of = { ...owner, reconciling: phase === 'reconciling' };
    const intents = await turnToCleanup(trx, of, input.cleanup);
    if (!of.reconciling) {
      await trx
        .updateTable('operations')
        .set({ phase: 'committed' })
        .where('id', '=', owner.operation)
        .execute();
    }
    if (patch.host !== undefined) await settleAllocations(trx, patched);
    return { intents };
  });
}

/**
 * Closes the operation and gives the instance back, in one transaction: what was observed, what was carried
 * out, what is left. Repeated by the same operation with the same end, it answers the same sentence.
 */
export async function finishOperation(
  deps: OwnershipDeps,
  input: FinishInput,
): Promise<{ sentence: string }> {
  const { owner } = input;
  return withProofs(deps, async (trx, proofs) => {
    const mine = await trx
      .selectFrom('operations')
      .selectAll()
      .where('id', '=', owner.operation)
      .executeTakeFirst();
    // Without a sentence somebody else closed it: an operation that took it for lost.
    if (mine !== undefined && mine.sentence !== null && mine.state === input.state)
      return { sentence: mine.sentence };
    const row = await requireOwner(trx, deps, owner, proofs);
    if (mine === undefined) throw await staleOwner(trx, owner, row);
    const now = deps.inventory.now();
    const patched = await applyPatch(trx, row, input.patch, now);
    await closeIntents(trx, input.settled);
    // What is done without a point of no return (a pause) must not be undone by the janitor.
    if (input.state === 'succeeded') await closeUndos(trx, owner);
    const { operation } = owner;
    await settleHappened(trx, patched, { operation, kind: mine.kind }, input.patch.happened, now);
    const settled = await settle(trx, patched, input.left, { looked: false });
    const sentence = stateSentence(settled.name, mine.doing, settled.state, mine.kind);
    await trx
      .updateTable('operations')
      .set({
        state: input.state,
        result: jsonOrNull(input.result),
        error: jsonOrNull(input.error),
        left_over: toJson(input.left),
        host: settled.host ?? mine.host,
        sentence,
        ended_at: now,
      })
      .where('id', '=', owner.operation)
      .execute();
    await trx
      .updateTable('instances')
      .set({ op_id: null, op_kind: null, op_workflow_id: null, op_run_id: null })
      .where('id', '=', row.id)
      .execute();
    return { sentence };
  });
}
