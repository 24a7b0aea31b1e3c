import { DroverError } from '../../model/errors.js';
import type { OperationRecord } from '../../model/operation.js';
import type { RunFinish, RunRecord, RunStart } from '../../model/run.js';
import { read, transact, type Inventory } from './database.js';
import { jsonOrNull, operationOf, runOf, toJson } from './rows.js';

/** Records the start; repeated, it changes nothing. */
export async function startRun(inventory: Inventory, run: RunStart): Promise<void> {
  await transact(inventory, (trx) =>
    trx
      .insertInto('runs')
      .values({
        id: run.id,
        runbook: run.runbook,
        digest: run.digest,
        source: run.source,
        inputs: toJson(run.inputs),
        requested_by: run.by,
        state: 'running',
        steps: '[]',
        undone: '[]',
        outputs: '{}',
        error: null,
        started_at: inventory.now(),
        ended_at: null,
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute(),
  );
}

/** Records the end; the first end stands. */
export async function finishRun(inventory: Inventory, run: RunFinish): Promise<void> {
  await transact(inventory, async (trx) => {
    const found = await trx.selectFrom('runs').select('state').where('id', '=', run.id).executeTakeFirst();
    if (found === undefined) throw noRun(run.id);
    await trx
      .updateTable('runs')
      .set({
        state: run.state,
        steps: toJson(run.steps),
        undone: toJson(run.undone),
        outputs: toJson(run.outputs),
        error: jsonOrNull(run.error),
        ended_at: inventory.now(),
      })
      .where('id', '=', run.id)
      .where('state', '=', 'running')
      .execute();
  });
}

export async function getRun(inventory: Inventory, id: string): Promise<RunRecord> {
  const row = await read(inventory, (db) =>
    db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirst(),
  );
  if (row === undefined) throw noRun(id);
  return runOf(row);
}

/** Newest first. */
export async function listRuns(
  inventory: Inventory,
  by: {
    runbook?: string | undefined;
    state?: RunRecord['state'] | undefined;
    limit?: number | undefined;
  } = {},
): Promise<RunRecord[]> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('runs')
      .selectAll()
      .$if(by.runbook !== undefined, (query) => query.where('runbook', '=', by.runbook ?? ''))
      .$if(by.state !== undefined, (query) => query.where('state', '=', by.state ?? 'running'))
      .orderBy('started_at', 'desc')
      .orderBy('id', 'desc')
      .limit(by.limit ?? 100)
      .execute(),
  );
  return rows.map(runOf);
}

/** The operations that a run started, in their order: the items of its steps. */
export async function operationsOfRun(inventory: Inventory, run: string): Promise<OperationRecord[]> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('operations')
      .selectAll()
      .where('run', '=', run)
      .orderBy('started_at')
      .orderBy('id')
      .execute(),
  );
  return rows.map(operationOf);
}

const noRun = (id: string): DroverError =>
  new DroverError('NotFound', `no run has the id "${id}"`, {
    details: { run: id },
    hint: 'list the runs with `drover run list`',
  });
