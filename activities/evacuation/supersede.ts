import { DroverError } from '../../model/errors.js';
import { read, transact, type Inventory } from '../inventory/database.js';
import { fenceOf, hostsNamed } from '../inventory/fences.js';
import { openIntents } from '../inventory/intents.js';
import type { InstanceRow } from '../inventory/schema.js';
import type { Answer, Call } from '../types.js';

/** What superseding needs of Temporal. */
export interface Workflows {
  isOpen(workflowId: string): Promise<boolean>;
  /** Both do nothing where it has ended. */
  cancel(workflowId: string): Promise<void>;
  terminate(workflowId: string, reason: string): Promise<void>;
}

const pollMs = 500;

/**
 * Only where it is proven that a host of it is off. The epoch is raised before the workflow is terminated: its
 * activities go on without it, and none of them may act any more.
 */
export async function supersedeOperation(
  { inventory, workflows }: { inventory: Inventory; workflows: Workflows },
  { instance, seconds }: { instance: string; seconds: number },
  call: Call,
): Promise<Answer<'supersedeOperation'>> {
  const row = await find(inventory, instance);
  const { op_id: operation, op_kind: kind, op_workflow_id: workflowId } = row;
  if (operation === null || workflowId === null || kind === 'evacuate') return { superseded: null };
  await requireFenced(inventory, row);
  const superseded = (ended: 'by itself' | 'terminated') => ({
    superseded: { operation, kind: kind ?? 'operation', ended },
  });
  const { clock } = inventory;
  const until = clock.now() + seconds * 1000;
  await workflows.cancel(workflowId);
  while (await workflows.isOpen(workflowId)) {
    if (clock.now() >= until) {
      await raiseEpoch(inventory, instance, operation);
      await workflows.terminate(workflowId, 'superseded: its host is lost, and the instance is evacuated');
      return superseded('terminated');
    }
    call.heartbeat({ phase: `waiting for the end of ${kind ?? 'the operation'}` });
    await clock.sleep(pollMs, call.signal);
    call.signal.throwIfAborted();
  }
  return superseded('by itself');
}

async function find(inventory: Inventory, instance: string): Promise<InstanceRow> {
  return read(inventory, async (db) => {
    const row = await db.selectFrom('instances').selectAll().where('id', '=', instance).executeTakeFirst();
    if (row === undefined) throw new DroverError('NotFound', `no instance has the id ${instance}`);
    return row;
  });
}

async function requireFenced(inventory: Inventory, row: InstanceRow): Promise<void> {
  const intents = await read(inventory, (db) => openIntents(db, row.id));
  const hosts = [...(row.host === null ? [] : [row.host]), ...intents.flatMap(hostsNamed)];
  for (const host of new Set(hosts)) if ((await fenceOf(inventory, host))?.state === 'held') return;
  throw new DroverError(
    'FencingRequired',
    `${row.op_kind ?? 'an operation'} runs on ${row.name}, and none of its hosts is fenced: it is not superseded`,
    { details: { instance: row.id, host: row.host, operation: row.op_id } },
  );
}

async function raiseEpoch(inventory: Inventory, instance: string, operation: string): Promise<void> {
  await transact(inventory, async (trx) => {
    await trx
      .updateTable('instances')
      .set((e) => ({ epoch: e('epoch', '+', 1) }))
      .where('id', '=', instance)
      .where('op_id', '=', operation)
      .execute();
  });
}
