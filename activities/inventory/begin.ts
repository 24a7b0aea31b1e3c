import { DroverError } from '../../model/errors.js';
import type { Intent, Owner } from '../../model/operation.js';
import type { BeginAnswer, BeginInput } from '../types.js';
import type { Trx } from './database.js';
import { findGroup, noGroup } from './group-members.js';
import { insertInstance } from './instances.js';
import { openIntents } from './intents.js';
import {
  NeedsProof,
  requireCurrentRun,
  sameRun,
  staleOwner,
  withProofs,
  type OwnershipDeps,
  type Proofs,
} from './ownership.js';
import { busy, idTaken, nameTaken, notFound, refusalOf, unsupported } from './refusals.js';
import { operationRow, refuse } from './refuse.js';
import { instanceOf, operationOf } from './rows.js';
import { isLater, terminateLater } from './terminate-later.js';
import type { InstanceRow, OperationRow, Phase } from './schema.js';

/**
 * Takes the instance for an operation, in one transaction. The workflow id has admitted one operation at a
 * time; here it is made sure that nothing of an earlier one goes on or is forgotten:
 * 1. A request that is closed already is answered with its record; what the cloud can't do is refused.
 * 2. An operation that still owns the row does not run any more: it is taken over, and `reconcile` hands out
 *    what it left. The caller undoes or accepts that, calls `reconciled`, and begins again.
 * 3. The rules (lock, repair, host, state) may refuse; a refusal is recorded and owns nothing.
 * 4. Otherwise the operation owns the row under a new epoch.
 * Repeated by the same operation it answers the same.
 */
export async function beginOperation(deps: BeginDeps, input: BeginInput): Promise<BeginAnswer> {
  const outcome = await withProofs(deps, (trx, proofs) => begin({ deps, input, trx, proofs }));
  // Thrown only here, since an error inside the transaction would take the record of the refusal back.
  if (outcome instanceof DroverError) throw outcome;
  return outcome;
}

export interface BeginDeps extends OwnershipDeps {
  /** What the hypervisors of the cloud can do. */
  capabilities: ReadonlySet<string>;
}

interface Beginning {
  deps: BeginDeps;
  input: BeginInput;
  trx: Trx;
  proofs: Proofs;
}

async function begin(my: Beginning): Promise<BeginAnswer | DroverError> {
  const { trx, input, deps } = my;
  const mine = await trx
    .selectFrom('operations')
    .selectAll()
    .where('id', '=', input.request.id)
    .executeTakeFirst();
  if (mine !== undefined && mine.ended_at !== null) return closed(mine);
  if (input.needs !== null && !deps.capabilities.has(input.needs)) {
    return refuse(my, unsupported(input.kind, input.needs, deps.capabilities));
  }
  const row = await trx
    .selectFrom('instances')
    .selectAll()
    .where('id', '=', input.instance)
    .executeTakeFirst();
  if (mine !== undefined) return again(my, mine, row);
  if (row === undefined)
    return input.create === null ? refuse(my, notFound(input, row)) : create(my, input.create);
  if (input.create !== null && row.state !== 'building') return refuse(my, idTaken(row));
  if (row.state === 'deleted' && !isRepair(input, row)) return refuse(my, notFound(input, row));
  if (row.op_id === null) return decide(my, row);
  const ends = input.supersedes === true && row.op_kind !== input.kind;
  return ends ? { outcome: 'occupied' } : takeOver(my, row, row.op_id);
}

function closed(mine: OperationRow): BeginAnswer {
  const { state, result, error } = operationOf(mine);
  return { outcome: 'closed', state, result, error };
}

async function create(
  my: Beginning,
  fresh: NonNullable<BeginInput['create']>,
): Promise<BeginAnswer | DroverError> {
  const { trx, input, deps } = my;
  const taken = await trx
    .selectFrom('instances')
    .select(['id', 'name', 'state', 'host'])
    .where('name', '=', fresh.name)
    .where('state', '<>', 'deleted')
    .executeTakeFirst();
  if (taken !== undefined) return refuse(my, nameTaken(taken));
  const group = fresh.serverGroup ?? null;
  if (group !== null && (await findGroup(trx, group)) === undefined)
    return refuse(my, await noGroup(trx, group));
  const building = {
    state: 'building' as const,
    powerState: 'absent' as const,
    host: null,
    disks: [],
    needsRepair: null,
  };
  await insertInstance(trx, { id: input.instance, ...fresh, ...building }, deps.inventory.now());
  const row = await trx
    .selectFrom('instances')
    .selectAll()
    .where('id', '=', input.instance)
    .executeTakeFirstOrThrow();
  return own(my, row, 'begun');
}

/** This operation began before: an activity's retry, the second begin after `reconciled`, or a workflow that was reset. */
async function again(
  my: Beginning,
  mine: OperationRow,
  row: InstanceRow | undefined,
): Promise<BeginAnswer | DroverError> {
  const { trx, deps, input, proofs } = my;
  const me: Owner = { instance: input.instance, operation: mine.id, epoch: row?.epoch ?? 0 };
  if (row === undefined || row.op_id !== mine.id) throw await staleOwner(trx, me, row);
  const current = await sameRun(trx, deps, me, row, proofs);
  const wasReset = current.op_run_id !== row.op_run_id;
  if (mine.phase === 'reconciled') return decide(my, current, { reconciled: true });
  if (mine.phase === 'reconciling') return reconcile(trx, current, await predecessorOf(trx, mine));
  if (!wasReset) return began(current);
  if (mine.phase === 'committed') return own(my, current, 'committed');
  // A reset run starts from nothing while the run before it was half-way: what that one did comes first.
  const half = mine.state === 'unwinding' || (await openIntents(trx, row.id)).length > 0;
  return own(my, current, half ? 'reconciling' : 'begun');
}

/** An operation that did not close owns the row. Its workflow must have ended before it is taken over. */
async function takeOver(
  my: Beginning,
  row: InstanceRow,
  predecessor: string,
): Promise<BeginAnswer | DroverError> {
  const { trx, deps, input, proofs } = my;
  const me: Owner = { instance: row.id, operation: input.request.id, epoch: row.epoch };
  // A late begin of a terminated workflow would otherwise take the row from the operation that runs.
  await requireCurrentRun(trx, deps, me, row, proofs);
  const run = deps.currentRun();
  const other = row.op_workflow_id;
  if (run !== null && other !== null && other !== run.workflowId) {
    if (proofs.open.has(other)) return refuse(my, busy(row, predecessor, other));
    if (!proofs.ended.has(other)) {
      throw new NeedsProof(async (known) => {
        ((await deps.isOpen(other)) ? known.open : known.ended).add(other);
      });
    }
  }
  return own(my, row, 'reconciling', predecessor);
}

/** Nobody else owns the row: the rules decide. */
async function decide(
  my: Beginning,
  row: InstanceRow,
  after = { reconciled: false },
): Promise<BeginAnswer | DroverError> {
  const refusal = await refusalOf(my.trx, my.input, row, after);
  if (refusal !== undefined)
    return isLater(my.input, refusal) ? terminateLater(my, row, refusal) : refuse(my, refusal);
  // An operation that may run on a broken instance (terminate, repair) first looks at what was left, once.
  const looks = row.op_id === null && row.needs_repair !== null && my.input.recordOnly !== true;
  return own(my, row, looks ? 'reconciling' : 'begun');
}

/** What a deleted instance left behind is still to be cleaned up. */
const isRepair = (input: BeginInput, row: InstanceRow): boolean =>
  row.needs_repair !== null && !input.respectsNeedsRepair;

/** Takes the row under a new epoch, so that whatever is late fails. */
async function own(
  my: Beginning,
  row: InstanceRow,
  phase: Phase,
  predecessor?: string,
): Promise<BeginAnswer> {
  const { trx, input, deps } = my;
  const run = deps.currentRun();
  const owned = await trx
    .updateTable('instances')
    .set({
      op_id: input.request.id,
      op_kind: input.kind,
      op_workflow_id: run?.workflowId ?? null,
      op_run_id: run?.runId ?? null,
      epoch: row.epoch + 1,
      updated_at: deps.inventory.now(),
    })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await trx
    .insertInto('operations')
    .values({
      ...operationRow(input, deps.inventory.now(), run),
      host: row.host,
      doing: input.doing,
      phase,
      epoch: owned.epoch,
      predecessor: predecessor ?? null,
    })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ state: 'running', phase, host: row.host }))
    .execute();
  if (phase === 'committed')
    return { ...began(owned), committed: await openIntents(trx, row.id, input.request.id) };
  if (phase !== 'reconciling') return began(owned);
  const before =
    predecessor === undefined
      ? undefined
      : await trx.selectFrom('operations').selectAll().where('id', '=', predecessor).executeTakeFirst();
  return reconcile(trx, owned, before);
}

const ownerOf = (row: InstanceRow): Owner => ({
  instance: row.id,
  operation: row.op_id ?? '',
  epoch: row.epoch,
});

const began = (row: InstanceRow): Extract<BeginAnswer, { outcome: 'began' }> => ({
  outcome: 'began',
  owner: ownerOf(row),
  instance: instanceOf(row),
});

async function reconcile(trx: Trx, row: InstanceRow, before: OperationRow | undefined): Promise<BeginAnswer> {
  const intents = await openIntents(trx, row.id);
  // Where all are closed it is the newest that left something.
  const whose = before ?? (await ownerOfIntent(trx, intents[0]));
  const predecessor =
    whose === undefined ? null : { id: whose.id, kind: whose.kind, committed: whose.phase === 'committed' };
  return { outcome: 'reconcile', owner: ownerOf(row), instance: instanceOf(row), predecessor, intents };
}

const ownerOfIntent = async (trx: Trx, intent: Intent | undefined): Promise<OperationRow | undefined> =>
  intent === undefined
    ? undefined
    : trx.selectFrom('operations').selectAll().where('id', '=', intent.operation).executeTakeFirst();

const predecessorOf = async (trx: Trx, mine: OperationRow): Promise<OperationRow | undefined> =>
  mine.predecessor === null
    ? undefined
    : trx.selectFrom('operations').selectAll().where('id', '=', mine.predecessor).executeTakeFirst();
