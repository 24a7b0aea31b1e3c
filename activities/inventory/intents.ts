/** What must be undone or cleaned up if its operation does not: rows, so that it outlives the workflow. */
import type { Intent, IntentCall, Settled } from '../../model/operation.js';
import type { Trx } from './database.js';
import { withFences } from './fences.js';
import { intentOf, toJson } from './rows.js';
import type { IntentRow } from './schema.js';

/** Clean-ups are numbered from here, out of the way of the steps that an operation still numbers itself. */
const CLEANUP_BASE = 1_000_000;

/** The open intents of an instance, newest first across its operations, or of one operation. */
export async function openIntents(trx: Trx, instance: string, operation?: string): Promise<Intent[]> {
  const rows = await trx
    .selectFrom('intents')
    .innerJoin('operations', 'operations.id', 'intents.operation')
    .selectAll('intents')
    .where('intents.instance', '=', instance)
    .where('intents.state', '=', 'open')
    .$if(operation !== undefined, (query) => query.where('intents.operation', '=', operation ?? ''))
    // An operation begins with a higher epoch than those before it.
    .orderBy('operations.epoch', 'desc')
    .orderBy('intents.seq', 'desc')
    .execute();
  return withFences(trx, rows.map(intentOf));
}

/**
 * Registers what undoes a step, before the step begins; repeated for the same step, it changes nothing.
 * A workflow that was reset may do another thing under a number that is in use: the intent of the lost
 * attempt is then kept under a number below zero, or what that attempt made would be forgotten.
 */
export async function registerUndo(
  trx: Trx,
  key: { instance: string; operation: string; seq: number },
  undo: IntentCall,
): Promise<void> {
  const ofOperation = trx.selectFrom('intents').selectAll().where('operation', '=', key.operation);
  const found = await ofOperation.where('seq', '=', key.seq).executeTakeFirst();
  const update = trx.updateTable('intents').where('operation', '=', key.operation).where('seq', '=', key.seq);
  if (found !== undefined && sameCall(found, undo)) {
    // Closed means that this step was undone or committed: a repetition of the step needs its undo again.
    await update.set({ state: 'open', kind: 'undo' }).execute();
    return;
  }
  if (found !== undefined && found.state !== 'closed') {
    const lowest = await ofOperation.orderBy('seq').executeTakeFirstOrThrow();
    await update.set({ seq: Math.min(lowest.seq, 0) - 1 }).execute();
  } else if (found !== undefined) {
    await trx
      .deleteFrom('intents')
      .where('operation', '=', key.operation)
      .where('seq', '=', key.seq)
      .execute();
  }
  await insert(trx, key, undo, 'undo');
}

/**
 * Closes what the point of no return makes moot, and adds what is to be cleaned up instead. Answers the open
 * clean-ups, newest first. `reconciling`: the step that turned out to be done was another operation's, so its
 * undos are moot too; one of them may be to remove the very disk that the guest runs on now.
 */
export async function turnToCleanup(
  trx: Trx,
  of: { instance: string; operation: string; reconciling: boolean },
  cleanup: IntentCall[],
): Promise<Intent[]> {
  const { instance, operation, reconciling } = of;
  await closeUndos(trx, { instance, operation: reconciling ? null : operation });
  const cleanups = trx
    .selectFrom('intents')
    .selectAll()
    .where('operation', '=', operation)
    .where('kind', '=', 'cleanup')
    .orderBy('seq', 'desc');
  const before = await cleanups.execute();
  // A repeated commit finds its clean-ups, the carried out ones too, and must not order them twice.
  const fresh = cleanup.filter((call) => !before.some((row) => sameCall(row, call)));
  const next = Math.max(CLEANUP_BASE, ...before.map((row) => row.seq + 1));
  for (const [index, call] of fresh.entries()) {
    await insert(trx, { instance, operation, seq: next + index }, call, 'cleanup');
  }
  return withFences(trx, (await cleanups.where('state', '=', 'open').execute()).map(intentOf));
}

/** Of one operation, or of the instance whoever made them. */
export async function closeUndos(
  trx: Trx,
  { instance, operation }: { instance: string; operation: string | null },
): Promise<void> {
  await trx
    .updateTable('intents')
    .set({ state: 'closed' })
    .where('instance', '=', instance)
    .$if(operation !== null, (query) => query.where('operation', '=', operation ?? ''))
    .where('kind', '=', 'undo')
    .where('state', '=', 'open')
    .execute();
}

export async function closeIntents(trx: Trx, settled: readonly Settled[]): Promise<void> {
  for (const { operation, seq, kept } of settled) {
    await trx
      .updateTable('intents')
      .set({ state: kept === true ? 'kept' : 'closed' })
      .where('operation', '=', operation)
      .where('seq', '=', seq)
      .execute();
  }
}

const sameCall = (row: IntentRow, call: IntentCall): boolean =>
  row.activity === call.activity && row.on_host === call.onHost && row.input === toJson(call.input);

async function insert(
  trx: Trx,
  key: { instance: string; operation: string; seq: number },
  call: IntentCall,
  kind: IntentRow['kind'],
): Promise<void> {
  await trx
    .insertInto('intents')
    .values({
      instance: key.instance,
      operation: key.operation,
      seq: key.seq,
      activity: call.activity,
      input: toJson(call.input),
      on_host: call.onHost,
      says: call.says,
      kind,
      state: 'open',
    })
    .execute();
}
