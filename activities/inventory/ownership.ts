import { DroverError } from '../../model/errors.js';
import type { IntentCall, Owner } from '../../model/operation.js';
import { transact, type Inventory, type Trx } from './database.js';
import { registerUndo } from './intents.js';
import { operationOf } from './rows.js';
import type { InstanceRow } from './schema.js';

/** What ownership needs to know of Temporal. */
export interface OwnershipDeps {
  inventory: Inventory;
  /** The workflow run that the activity belongs to; null outside of one, and then runs are not compared. */
  currentRun(): { workflowId: string; runId: string } | null;
  /** Whether that is the run which the workflow id has now, and it is open. */
  isCurrentRun(workflowId: string, runId: string): Promise<boolean>;
  isOpen(workflowId: string): Promise<boolean>;
}

/** What Temporal has answered so far, for one call. */
export interface Proofs {
  runIsCurrent: boolean;
  /** Workflow ids by what Temporal said of them. */
  open: Set<string>;
  ended: Set<string>;
}

/**
 * Thrown inside a transaction when it takes a word of Temporal to go on: nobody may wait for a server while
 * holding the only write lock. `withProofs` rolls back, asks, and begins again with what it learned.
 */
export class NeedsProof extends Error {
  constructor(readonly obtain: (proofs: Proofs) => Promise<void>) {
    super('needs a word of Temporal');
  }
}

/** A transaction that may ask Temporal; each question is asked once. */
export async function withProofs<T>(
  deps: OwnershipDeps,
  work: (trx: Trx, proofs: Proofs) => Promise<T>,
): Promise<T> {
  const proofs: Proofs = { runIsCurrent: false, open: new Set(), ended: new Set() };
  for (;;) {
    try {
      return await transact(deps.inventory, (trx) => work(trx, proofs));
    } catch (error) {
      if (!(error instanceof NeedsProof)) throw error;
      await error.obtain(proofs);
    }
  }
}

/** A transaction of the operation that owns the instance; StaleOwner for any other. */
export async function asOwner<T>(
  deps: OwnershipDeps,
  owner: Owner,
  work: (trx: Trx, row: InstanceRow) => Promise<T>,
): Promise<T> {
  return withProofs(deps, async (trx, proofs) => work(trx, await requireOwner(trx, deps, owner, proofs)));
}

/**
 * The one compare of ownership: {operation, epoch} must equal the row's, and the activity must come from the
 * workflow run that the operation runs in. Somebody may terminate or reset a workflow in Temporal's UI while
 * its activities go on; a reset makes a new run of the same operation, which is welcome, and the old run's
 * activities, which are late, present the same operation and epoch: only the run id tells them apart.
 * `olderEpoch` allows what a reset run remembers from before an unwind raised the epoch.
 */
export async function requireOwner(
  trx: Trx,
  deps: Pick<OwnershipDeps, 'currentRun' | 'isCurrentRun'>,
  owner: Owner,
  proofs: Proofs,
  options: { olderEpoch?: boolean } = {},
): Promise<InstanceRow> {
  const row = await trx
    .selectFrom('instances')
    .selectAll()
    .where('id', '=', owner.instance)
    .executeTakeFirst();
  const epochFits =
    row !== undefined && (options.olderEpoch === true ? owner.epoch <= row.epoch : owner.epoch === row.epoch);
  if (row === undefined || row.op_id !== owner.operation || !epochFits)
    throw await staleOwner(trx, owner, row);
  return sameRun(trx, deps, owner, row, proofs);
}

/** Stores the run of the caller when Temporal says that it is the current one; StaleOwner when it is not. */
export async function sameRun(
  trx: Trx,
  deps: Pick<OwnershipDeps, 'currentRun' | 'isCurrentRun'>,
  owner: Owner,
  row: InstanceRow,
  proofs: Proofs,
): Promise<InstanceRow> {
  const run = deps.currentRun();
  if (run === null || (run.workflowId === row.op_workflow_id && run.runId === row.op_run_id)) return row;
  if (row.op_workflow_id !== null && run.workflowId !== row.op_workflow_id) {
    throw await staleOwner(
      trx,
      owner,
      row,
      `it belongs to workflow ${row.op_workflow_id}, not to ${run.workflowId}`,
    );
  }
  await requireCurrentRun(trx, deps, owner, row, proofs);
  const now = { op_workflow_id: run.workflowId, op_run_id: run.runId };
  await trx.updateTable('instances').set(now).where('id', '=', row.id).execute();
  await trx
    .updateTable('operations')
    .set({ workflow_id: run.workflowId, run_id: run.runId })
    .where('id', '=', owner.operation)
    .execute();
  return { ...row, ...now };
}

/** Goes on only when the caller's workflow run is not one that was terminated or reset away. */
export async function requireCurrentRun(
  trx: Trx,
  deps: Pick<OwnershipDeps, 'currentRun' | 'isCurrentRun'>,
  owner: Owner,
  row: InstanceRow,
  proofs: Proofs,
): Promise<void> {
  const run = deps.currentRun();
  if (run === null || proofs.runIsCurrent) return;
  const stale = await staleOwner(
    trx,
    owner,
    row,
    `its workflow run ${run.runId} is not the current one any more`,
  );
  throw new NeedsProof(async (known) => {
    if (!(await deps.isCurrentRun(run.workflowId, run.runId))) throw stale;
    known.runIsCurrent = true;
  });
}

/** Who presents what, who owns the instance now, and how the presenter's operation ended if it did. */
export async function staleOwner(
  trx: Trx,
  owner: Owner,
  row: InstanceRow | undefined,
  why?: string,
): Promise<DroverError> {
  const mine = await trx
    .selectFrom('operations')
    .selectAll()
    .where('id', '=', owner.operation)
    .executeTakeFirst();
  const ended = mine !== undefined && mine.ended_at !== null ? operationOf(mine) : undefined;
  const told =
    ended === undefined
      ? ''
      : `; it is closed as ${ended.state}${ended.error ? ` (${ended.error.message})` : ''}`;
  const details = {
    presented: owner,
    current: row === undefined ? null : { operation: row.op_id, task: row.op_kind, epoch: row.epoch },
    ended: ended === undefined ? null : { state: ended.state, error: ended.error },
  };
  const message = `operation ${owner.operation} (epoch ${owner.epoch}) does not own instance ${row?.name ?? owner.instance}: ${why ?? holder(owner, row)}${told}`;
  return new DroverError('StaleOwner', message, { details });
}

function holder(owner: Owner, row: InstanceRow | undefined): string {
  if (row === undefined) return 'there is no such instance';
  if (row.op_id === null) return 'no operation does';
  if (row.op_id === owner.operation) return `its epoch is ${row.epoch} by now`;
  return `${row.op_kind ?? 'operation'} ${row.op_id} (epoch ${row.epoch}) does`;
}

/**
 * Lets a step of an operation begin: checks the ownership and registers what undoes the step, in one
 * transaction. The worker calls it before every step that changes something.
 */
export async function admit(
  deps: OwnershipDeps,
  input: { owner: Owner; seq: number; undo: IntentCall | null },
): Promise<void> {
  const { owner, seq, undo } = input;
  await asOwner(deps, owner, async (trx) => {
    if (undo === null) return;
    // An operation that took one attempt back and begins the next does not unwind any more.
    await trx
      .updateTable('operations')
      .set({ state: 'running' })
      .where('id', '=', owner.operation)
      .where('state', '=', 'unwinding')
      .execute();
    await registerUndo(trx, { instance: owner.instance, operation: owner.operation, seq }, undo);
  });
}
