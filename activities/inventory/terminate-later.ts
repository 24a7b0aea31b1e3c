/**
 * A terminate of what is on a host of unknown state is not refused, and not done either: nothing may be freed as long as
 * the guest may run. It is written down, and done by the janitor once the host is back, or fenced.
 */
import type { DroverError } from '../../model/errors.js';
import type { Request } from '../../model/operation.js';
import type { BeginAnswer, BeginInput } from '../types.js';
import { read, type Inventory, type Trx } from './database.js';
import type { OwnershipDeps } from './ownership.js';
import { operationRow } from './refuse.js';
import { toJson } from './rows.js';
import type { InstanceRow } from './schema.js';

/** Who asked, and for what: it is done in that person's name. */
export interface TerminateDue {
  by: string;
  role: Request['role'];
  keepDisks: boolean;
}

/** Only the silence of its own host is waited for; what refuses it otherwise, refuses it. */
export const isLater = (input: Pick<BeginInput, 'kind'>, refusal: DroverError): boolean =>
  input.kind === 'terminate' && refusal.code === 'HostUnknown' && 'lastSeenAt' in refusal.details;

export const laterText = (name: string, refusal: DroverError): string =>
  `${name} is terminated later: ${refusal.message}. Nothing is freed until that host is back or fenced; then the janitor does it`;

/** Closes the operation in the transaction in which it would have begun; it owns nothing. */
export async function terminateLater(
  {
    trx,
    input,
    deps,
  }: { trx: Trx; input: BeginInput; deps: Pick<OwnershipDeps, 'inventory' | 'currentRun'> },
  row: InstanceRow,
  refusal: DroverError,
): Promise<BeginAnswer> {
  const { request } = input;
  const now = deps.inventory.now();
  const note = laterText(row.name, refusal);
  const result = { deferred: true, note };
  const ended = { state: 'succeeded' as const, result: toJson(result), sentence: note, ended_at: now };
  await trx
    .insertInto('operations')
    .values({ ...operationRow(input, now, deps.currentRun()), doing: input.doing, host: row.host, ...ended })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(ended))
    .execute();
  const keepDisks = input.input['keep_disks'] === true;
  const due: TerminateDue = { by: request.by, role: request.role, keepDisks };
  await trx
    .updateTable('instances')
    .set({
      terminate_due: toJson(due),
      cause: `${request.by} has asked to terminate it: done once ${row.host ?? 'its host'} is back or fenced`,
      updated_at: now,
    })
    .where('id', '=', row.id)
    .execute();
  await trx
    .updateTable('instances')
    .set({ op_id: null, op_kind: null, op_workflow_id: null, op_run_id: null })
    .where('op_id', '=', request.id)
    .execute();
  return { outcome: 'closed', state: 'succeeded', result, error: null };
}

export interface DueTerminate {
  instance: string;
  name: string;
  why: string;
  terminate: TerminateDue;
}

/** Those whose host answers again, is fenced, or is none: nothing speaks against it any more. */
export async function dueTerminates(inventory: Inventory): Promise<DueTerminate[]> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('instances')
      .leftJoin('hosts', 'hosts.name', 'instances.host')
      .select(['instances.id', 'instances.name', 'terminate_due', 'instances.host', 'hosts.fence'])
      .where('terminate_due', 'is not', null)
      .where('instances.state', '<>', 'deleted')
      .where('op_id', 'is', null)
      .where((e) =>
        e.or([
          e('hosts.state', '=', 'up'),
          e('hosts.fence', 'is not', null),
          e('instances.host', 'is', null),
        ]),
      )
      .orderBy('instances.name')
      .orderBy('instances.id')
      .execute(),
  );
  return rows.map(({ id, name, terminate_due, host, fence }) => {
    const terminate = JSON.parse(terminate_due ?? '{}') as TerminateDue;
    const now = host === null ? 'it is on no host' : `${host} ${fence === null ? 'is back' : 'is fenced'}`;
    return { instance: id, name, why: `${terminate.by} asked to terminate it, and ${now}`, terminate };
  });
}
