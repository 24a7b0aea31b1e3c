import { DroverError } from '../../model/errors.js';
import type { LadderStep, MigrationRecord, OperationRecord, OperationState } from '../../model/operation.js';
import { read, transact, type Inventory } from './database.js';
import { migrationOf, operationOf, toJson } from './rows.js';

export interface MigrationStart {
  id: string;
  operation: string;
  instance: string;
  source: string;
  target: string;
  storage: MigrationRecord['storage'];
  /** Default: live. */
  kind?: MigrationRecord['kind'];
  /** Paths of the disks that are copied. */
  copied?: string[];
}
export interface MigrationEnd {
  state: 'completed' | 'failed' | 'cancelled';
  downtimeMs: number | null;
  totalMs: number | null;
  transferredBytes: number | null;
  reason: string | null;
}

/** Records that a migration begins; repeated for one that goes on, it changes nothing. */
export async function migrationStarted(
  inventory: Inventory,
  { copied = [], ...start }: MigrationStart,
): Promise<void> {
  await transact(inventory, (trx) =>
    trx
      .insertInto('migrations')
      .values({
        ...start,
        copied: toJson(copied),
        state: 'running',
        downtime_ms: null,
        total_ms: null,
        transferred_bytes: null,
        reason: null,
        started_at: inventory.now(),
        ended_at: null,
      })
      .onConflict((conflict) =>
        conflict
          .column('id')
          .doUpdateSet({ state: 'running', reason: null, ended_at: null })
          // A second try under the same id reopens one that failed. What has completed stays completed.
          .where('migrations.state', 'in', ['failed', 'cancelled']),
      )
      .execute(),
  );
}

/**
 * Records how a migration ended: the first end that is told. `completed` alone may still correct a failure, since a
 * client that lost its hypervisor reports a failure of a migration that went through.
 */
export async function migrationEnded(inventory: Inventory, id: string, end: MigrationEnd): Promise<void> {
  await transact(inventory, (trx) =>
    trx
      .updateTable('migrations')
      .set({
        state: end.state,
        downtime_ms: end.downtimeMs,
        total_ms: end.totalMs,
        transferred_bytes: end.transferredBytes,
        reason: end.reason,
        ended_at: inventory.now(),
      })
      .where('id', '=', id)
      .where('state', 'in', end.state === 'completed' ? ['running', 'failed', 'cancelled'] : ['running'])
      .execute(),
  );
}

/** Writes down a rung that a migration took; told twice, it is written once. */
export async function ladderStep(
  inventory: Inventory,
  id: string,
  step: Omit<LadderStep, 'at'>,
): Promise<void> {
  await transact(inventory, async (trx) => {
    const row = await trx.selectFrom('migrations').select('ladder').where('id', '=', id).executeTakeFirst();
    if (row === undefined) return;
    const taken = JSON.parse(row.ladder) as LadderStep[];
    if (taken.some(({ rung, says, by }) => rung === step.rung && says === step.says && by === step.by))
      return;
    const ladder = toJson([...taken, { at: inventory.now(), ...step }]);
    await trx.updateTable('migrations').set({ ladder }).where('id', '=', id).execute();
  });
}

/** Newest first. */
export async function listMigrations(
  inventory: Inventory,
  by: { instance?: string | undefined; operation?: string | undefined; limit?: number | undefined } = {},
): Promise<MigrationRecord[]> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('migrations')
      .selectAll()
      .$if(by.instance !== undefined, (query) => query.where('instance', '=', by.instance ?? ''))
      .$if(by.operation !== undefined, (query) => query.where('operation', '=', by.operation ?? ''))
      .orderBy('started_at', 'desc')
      // Of two of one moment the one that was given up came first.
      .orderBy((e) => e.case().when('state', 'in', ['failed', 'cancelled']).then(1).else(0).end())
      .orderBy('id', 'desc')
      .limit(by.limit ?? 100)
      .execute(),
  );
  return rows.map(migrationOf);
}

export async function getOperation(inventory: Inventory, id: string): Promise<OperationRecord> {
  const row = await read(inventory, (db) =>
    db.selectFrom('operations').selectAll().where('id', '=', id).executeTakeFirst(),
  );
  if (row === undefined)
    throw new DroverError('NotFound', `no operation has the id "${id}"`, { details: { operation: id } });
  return operationOf(row);
}

/** Newest first; an instance's operations are its history. `host`: those on the host itself. */
export async function listOperations(
  inventory: Inventory,
  by: {
    instance?: string | undefined;
    host?: string | undefined;
    state?: OperationState | undefined;
    limit?: number | undefined;
  } = {},
): Promise<OperationRecord[]> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('operations')
      .selectAll()
      .$if(by.instance !== undefined, (query) => query.where('instance', '=', by.instance ?? ''))
      .$if(by.host !== undefined, (query) =>
        query.where('host', '=', by.host ?? '').where('instance', 'is', null),
      )
      .$if(by.state !== undefined, (query) => query.where('state', '=', by.state ?? 'running'))
      .orderBy('started_at', 'desc')
      .orderBy('epoch', 'desc')
      .limit(by.limit ?? 100)
      .execute(),
  );
  return rows.map(operationOf);
}
