import { DroverError } from '../../model/errors.js';
import type { OperationRecord } from '../../model/operation.js';
import type { RunFinish, RunRecord, RunStart } from '../../model/run.js';
import { read, transact, type Inventory } from './database.js';
import { insertAction } from './run-actions.js';
import { insertItems } from './run-items.js';
import { jsonOrNull, operationOf, runOf, toJson } from './rows.js';

/**
 * Records the start, and who started it; repeated, it changes nothing. `ended` is how the run ended, if it has:
 * a run that is reset after its end must not do everything again.
 */
export async function startRun(
  inventory: Inventory,
  run: RunStart,
): Promise<{ ended: Pick<RunFinish, 'outputs' | 'error'> | null }> {
  const { parent = null, retryOf = null, plan = null } = run;
  return transact(inventory, async (trx) => {
    const before = await trx.selectFrom('runs').selectAll().where('id', '=', run.id).executeTakeFirst();
    if (before !== undefined && before.state !== 'running') {
      const { outputs, error } = runOf(before);
      return { ended: { outputs, error } };
    }
    const now = inventory.now();
    await trx
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
        parent_run: parent?.run ?? null,
        parent_step: parent?.step ?? null,
        retry_of: retryOf,
        plan: jsonOrNull(plan),
        started_at: now,
        ended_at: null,
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
    const { id, by } = run;
    const about = { by, step: null, comment: null };
    const details = { ...(parent === null ? {} : { parent }), ...(retryOf === null ? {} : { retryOf }) };
    await insertAction(trx, { ...about, id: `${id}/start`, run: id, action: 'start', details }, now);
    if (retryOf === null) return { ended: null };
    const retry = { ...about, id: `${id}/retry`, run: retryOf, action: 'retry' as const };
    await insertAction(trx, { ...retry, details: { run: id } }, now);
    return { ended: null };
  });
}

/**
 * Records the end; the first end stands. The items that the steps hold are made rows here, so that a step with
 * one item needs no call of its own.
 */
export async function finishRun(inventory: Inventory, run: RunFinish): Promise<void> {
  await transact(inventory, async (trx) => {
    const found = await trx.selectFrom('runs').select('state').where('id', '=', run.id).executeTakeFirst();
    if (found === undefined) throw noRun(run.id);
    if (found.state !== 'running') return;
    const now = inventory.now();
    await trx
      .updateTable('runs')
      .set({
        state: run.state,
        steps: toJson(run.steps),
        undone: toJson(run.undone),
        outputs: toJson(run.outputs),
        error: jsonOrNull(run.error),
        ended_at: now,
      })
      .where('id', '=', run.id)
      .execute();
    for (const { id, items, attempt = 1 } of run.steps) {
      const known = await trx
        .selectFrom('run_items')
        .select('item')
        .where('run', '=', run.id)
        .where('step', '=', id)
        .execute();
      const keys = new Set(known.map(({ item }) => item));
      const missing = items.filter(({ key }) => !keys.has(key));
      await insertItems(trx, { run: run.id, step: id, attempt, items: missing }, now);
    }
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
    /** The runs that are steps of this one; null: those that are no part of another. */
    parent?: string | null | undefined;
    /** Those that began or ended then or later, RFC 3339. */
    since?: string | undefined;
    /** The runs that try this one again. */
    retryOf?: string | undefined;
    limit?: number | undefined;
  } = {},
): Promise<RunRecord[]> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('runs')
      .selectAll()
      .$if(by.runbook !== undefined, (query) => query.where('runbook', '=', by.runbook ?? ''))
      .$if(by.state !== undefined, (query) => query.where('state', '=', by.state ?? 'running'))
      .$if(by.parent === null, (query) => query.where('parent_run', 'is', null))
      .$if(typeof by.parent === 'string', (query) => query.where('parent_run', '=', by.parent ?? ''))
      .$if(by.since !== undefined, (query) =>
        query.where((or) =>
          or.or([or('started_at', '>=', by.since ?? ''), or('ended_at', '>=', by.since ?? '')]),
        ),
      )
      .$if(by.retryOf !== undefined, (query) => query.where('retry_of', '=', by.retryOf ?? ''))
      .orderBy('started_at', 'desc')
      .orderBy('id', 'desc')
      .limit(by.limit ?? 100)
      .execute(),
  );
  return rows.map(runOf);
}

/** The operations that a run started, in their order: the items of its steps. `open`: those under way. */
export async function operationsOfRun(
  inventory: Inventory,
  run: string,
  by: { open?: boolean | undefined; limit?: number | undefined } = {},
): Promise<OperationRecord[]> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('operations')
      .selectAll()
      .where('run', '=', run)
      .$if(by.open === true, (query) => query.where('ended_at', 'is', null))
      .orderBy('started_at')
      .orderBy('id')
      .$if(by.limit !== undefined, (query) => query.limit(by.limit ?? 0))
      .execute(),
  );
  return rows.map(operationOf);
}

const noRun = (id: string): DroverError =>
  new DroverError('NotFound', `no run has the id "${id}"`, {
    details: { run: id },
    hint: 'list the runs with `drover run list`',
  });
