/** Operations on hosts and their records. One host has one at a time: its workflow id admits no second. */
import { DroverError, type ErrorRecord } from '../../model/errors.js';
import type { Request } from '../../model/operation.js';
import type { BeginHostAnswer, BeginHostInput, FinishHostInput } from '../types.js';
import { read, transact, type Inventory, type Trx } from './database.js';
import { requireHost } from './hosts.js';
import type { OwnershipDeps } from './ownership.js';
import { readmitRefusal } from './readmit-refusal.js';
import { rebootRefusal } from './reboot-refusal.js';
import { operationRow } from './refuse.js';
import { jsonOrNull, operationOf, toJson } from './rows.js';
import type { HostRow, OperationRow } from './schema.js';

type Deps = Pick<OwnershipDeps, 'inventory' | 'currentRun'>;

interface Asked {
  kind: string;
  host: string;
  input: Record<string, unknown>;
  /** Absent in a workflow that began before host operations had records. */
  request?: Request | undefined;
}

/** Changes a host and writes the record of it, in one transaction. Repeated, it answers what it answered first. */
export async function changeHost<T extends Record<string, unknown>>(
  deps: Deps,
  asked: Asked,
  change: (trx: Trx, row: HostRow) => Promise<T>,
): Promise<T> {
  const { request } = asked;
  return transact(deps.inventory, async (trx) => {
    const before = request && (await recordOf(trx, request.id));
    // Written below, and so of the type that `change` answers.
    if (before) return operationOf(before).result as T;
    const result = await change(trx, await requireHost(trx, asked.host));
    if (request)
      await record(trx, deps, { ...asked, request }, { state: 'succeeded', result: toJson(result) });
    return result;
  });
}

/** Begins an operation that takes its time: the rules may refuse it, and a record tells that it runs. */
export async function beginHostOperation(deps: Deps, input: BeginHostInput): Promise<BeginHostAnswer> {
  const { inventory } = deps;
  const outcome = await transact(inventory, async (trx): Promise<BeginHostAnswer | DroverError> => {
    const mine = await recordOf(trx, input.request.id);
    if (mine?.ended_at) {
      const { result, error } = operationOf(mine);
      return { outcome: 'closed', result, error };
    }
    // A reset run of the operation goes on; what it did before is found by its steps.
    if (mine) return { outcome: 'began' };
    await closeTerminated(trx, deps, input.host);
    const host = await requireHost(trx, input.host);
    const refusal = await refusalOn(trx, inventory, input.kind, host);
    const refused = refusal && { state: 'refused' as const, error: toJson(refusal.toRecord()) };
    await record(trx, deps, input, refused ?? { state: 'running' });
    return refusal ?? { outcome: 'began' };
  });
  // Thrown only here, since an error inside the transaction would take the record of the refusal back.
  if (outcome instanceof DroverError) throw outcome;
  return outcome;
}

const refusalOn = async (trx: Trx, inventory: Inventory, kind: string, host: HostRow) =>
  kind === 'reboot'
    ? rebootRefusal(trx, inventory, host)
    : kind === 'readmit'
      ? readmitRefusal(trx, host)
      : undefined;

/** Why an operation would be refused on this host now; for a dry run. */
export const hostRefusal = (
  inventory: Inventory,
  kind: string,
  host: string,
): Promise<DroverError | undefined> =>
  read(inventory, async (db) => refusalOn(db, inventory, kind, await requireHost(db, host)));

/** Kept in the record until it has its result: a reset run of the operation finds what the run before it found. */
export async function keepBoot(
  { inventory }: Deps,
  { id, boot }: { id: string; boot: string },
): Promise<{ boot: string }> {
  return transact(inventory, async (trx) => {
    const mine = await recordOf(trx, id);
    if (mine?.result) return JSON.parse(mine.result) as { boot: string };
    await trx
      .updateTable('operations')
      .set({ result: toJson({ boot }) })
      .where('id', '=', id)
      .execute();
    return { boot };
  });
}

export async function endOfHostOperation(
  inventory: Inventory,
  { host, kind }: { host: string; kind: string },
): Promise<{ result: Record<string, unknown> | null; error: ErrorRecord | null }> {
  const row = await read(inventory, (db) =>
    db
      .selectFrom('operations')
      .selectAll()
      .where('host', '=', host)
      .where('instance', 'is', null)
      .where('kind', '=', kind)
      .orderBy('started_at', 'desc')
      .limit(1)
      .executeTakeFirst(),
  );
  if (row?.ended_at === undefined || row.ended_at === null) return { result: null, error: null };
  const { result, error } = operationOf(row);
  return { result, error };
}

export async function finishHostOperation({ inventory }: Deps, input: FinishHostInput): Promise<void> {
  await transact(inventory, (trx) =>
    trx
      .updateTable('operations')
      .set({
        state: input.state,
        result: jsonOrNull(input.result),
        error: jsonOrNull(input.error),
        ended_at: inventory.now(),
      })
      .where('id', '=', input.id)
      .where('ended_at', 'is', null)
      .execute(),
  );
}

export const recordOf = (trx: Trx, id: string): Promise<OperationRow | undefined> =>
  trx.selectFrom('operations').selectAll().where('id', '=', id).executeTakeFirst();

async function record(
  trx: Trx,
  { inventory, currentRun }: Deps,
  asked: Asked & { request: Request },
  end: Pick<OperationRow, 'state'> & Partial<Pick<OperationRow, 'result' | 'error'>>,
): Promise<void> {
  const now = inventory.now();
  const row = operationRow({ ...asked, instance: null }, now, currentRun());
  const ended_at = end.state === 'running' ? null : now;
  await trx
    .insertInto('operations')
    .values({ ...row, host: asked.host, ...end, ended_at })
    .execute();
}

/**
 * The workflow id admits one at a time: a record of this id that is still open is of one that somebody terminated. A
 * recovery has an id of its own, and goes on while others change its host.
 */
async function closeTerminated(trx: Trx, { inventory, currentRun }: Deps, host: string): Promise<void> {
  const id = currentRun()?.workflowId;
  const lost = endAsLost(trx, inventory).where('host', '=', host);
  await (id === undefined ? lost : lost.where('workflow_id', '=', id)).execute();
}

/** The records that terminated workflows left open, of hosts on which nobody has begun another operation since. */
export async function closeLostHostOperations({
  inventory,
  isOpen,
}: Pick<OwnershipDeps, 'inventory' | 'isOpen'>): Promise<void> {
  const open = await read(inventory, (db) =>
    db
      .selectFrom('operations')
      .select(['id', 'workflow_id'])
      .where('instance', 'is', null)
      .where('host', 'is not', null)
      .where('ended_at', 'is', null)
      .execute(),
  );
  for (const { id, workflow_id } of open) {
    if (await isOpen(workflow_id)) continue;
    await transact(inventory, (trx) => endAsLost(trx, inventory).where('id', '=', id).execute());
  }
}

function endAsLost(trx: Trx, inventory: Inventory) {
  const error = new DroverError('Cancelled', 'its workflow was ended from outside; nothing more is known');
  return trx
    .updateTable('operations')
    .set({ state: 'failed', error: toJson(error.toRecord()), ended_at: inventory.now() })
    .where('instance', 'is', null)
    .where('ended_at', 'is', null);
}
