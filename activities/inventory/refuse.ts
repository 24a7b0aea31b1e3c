import type { DroverError, ErrorRecord } from '../../model/errors.js';
import type { Request } from '../../model/operation.js';
import { transact, type Inventory, type Trx } from './database.js';
import type { OwnershipDeps } from './ownership.js';
import { toJson } from './rows.js';
import type { OperationsTable } from './schema.js';

type Run = ReturnType<OwnershipDeps['currentRun']>;

interface Asked {
  kind: string;
  request: Request;
  instance: string | null;
  input: Record<string, unknown>;
}

/** Records the refusal in the transaction that decided it, and gives the row back if the operation had it. */
export async function refuse(
  my: { trx: Trx; input: Asked; deps: Pick<OwnershipDeps, 'inventory' | 'currentRun'> },
  error: DroverError,
): Promise<DroverError> {
  const { trx, input, deps } = my;
  await recordRefusal(trx, input, error.toRecord(), deps.inventory.now(), deps.currentRun());
  await trx
    .updateTable('instances')
    .set({ op_id: null, op_kind: null, op_workflow_id: null, op_run_id: null })
    .where('op_id', '=', input.request.id)
    .execute();
  return error;
}

/** Records an operation that was refused before it could begin; what the inventory knows of it already stands. */
export async function refuseOperation(
  deps: { inventory: Inventory; currentRun: OwnershipDeps['currentRun'] },
  input: Asked & { error: ErrorRecord },
): Promise<void> {
  await transact(deps.inventory, async (trx) => {
    const found = await trx
      .selectFrom('operations')
      .select('id')
      .where('id', '=', input.request.id)
      .executeTakeFirst();
    if (found !== undefined) return;
    await recordRefusal(trx, input, input.error, deps.inventory.now(), deps.currentRun());
  });
}

async function recordRefusal(
  trx: Trx,
  asked: Asked,
  error: ErrorRecord,
  now: string,
  run: Run,
): Promise<void> {
  if (asked.request.role === 'automation' && asked.request.run === null) await forgetLast(trx, asked, error);
  const ended = { state: 'refused' as const, error: toJson(error), ended_at: now };
  await trx
    .insertInto('operations')
    .values({ ...operationRow(asked, now, run), ...ended })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(ended))
    .execute();
}

/** A janitor is refused again and again for the same reason: its last refusal stands for those before it. */
async function forgetLast(trx: Trx, asked: Asked, error: ErrorRecord): Promise<void> {
  await trx
    .deleteFrom('operations')
    .where('instance', '=', asked.instance)
    .where('kind', '=', asked.kind)
    .where('requested_by', '=', asked.request.by)
    .where('state', '=', 'refused')
    .where('error', '=', toJson(error))
    .execute();
}

/** The record of an operation that starts now. */
export const operationRow = (asked: Asked, now: string, run: Run): OperationsTable => ({
  id: asked.request.id,
  kind: asked.kind,
  doing: asked.kind,
  instance: asked.instance,
  host: null,
  state: 'running',
  phase: 'begun',
  epoch: 0,
  predecessor: null,
  input: toJson(asked.input),
  result: null,
  error: null,
  left_over: '[]',
  sentence: null,
  requested_by: asked.request.by,
  role: asked.request.role,
  workflow_id: run?.workflowId ?? '',
  run_id: run?.runId ?? '',
  run: asked.request.run?.id ?? null,
  step: asked.request.run?.step ?? null,
  item: asked.request.run?.item ?? null,
  started_at: now,
  ended_at: null,
});
