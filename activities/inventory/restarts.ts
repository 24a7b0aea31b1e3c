/** How often a restart policy brings an instance back, and when it leaves it alone. */
import { read, transact, type Inventory, type Trx } from './database.js';
import type { InstanceRow } from './schema.js';

/** Who asks for a start where the policy does. */
const asker = 'restart-policy';
const most = 3;
const withinMs = 600_000;

export async function mayRestart(
  inventory: Inventory,
  { instance }: { instance: string },
): Promise<{ refused: string | null }> {
  return read(inventory, async (db) => {
    const row = await db.selectFrom('instances').selectAll().where('id', '=', instance).executeTakeFirst();
    return { refused: row === undefined ? 'it is gone' : await refusalOf(db, row, inventory) };
  });
}

/** Those whose restart is due; what may not be tried again is told as part of the cause, and no longer due. */
export async function dueRestarts(
  inventory: Inventory,
): Promise<{ instance: string; name: string; why: string }[]> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('instances')
      .selectAll()
      .where('restart_due', '=', 1)
      .where('op_id', 'is', null)
      .where('needs_repair', 'is', null)
      .where('state', '=', 'stopped')
      .where('host', 'in', (e) => e.selectFrom('hosts').select('name').where('hosts.state', '=', 'up'))
      .orderBy('name')
      .orderBy('id')
      .execute(),
  );
  const due: { instance: string; name: string; why: string }[] = [];
  for (const row of rows) {
    const refused = await read(inventory, (db) => refusalOf(db, row, inventory));
    if (refused === null) {
      const why = `${row.cause ?? 'it is off'}; its restart policy is ${row.restart_policy}`;
      due.push({ instance: row.id, name: row.name, why });
    } else await giveUp(inventory, row, refused);
  }
  return due;
}

async function refusalOf(db: Trx, row: InstanceRow, { clock }: Inventory): Promise<string | null> {
  if (row.locked === 1)
    return `it is locked by ${row.locked_by ?? 'somebody'}, so its policy leaves it alone`;
  const last = await db
    .selectFrom('operations')
    .select(['kind', 'state'])
    .where('instance', '=', row.id)
    .where('state', '<>', 'refused')
    .where('kind', 'not in', ['repair', 'lock', 'unlock', 'set-policy'])
    .orderBy('epoch', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (last?.kind === 'stop') return 'somebody had asked drover to stop it';
  const since = new Date(clock.now() - withinMs).toISOString();
  const tried = await db
    .selectFrom('operations')
    .select('id')
    .where('instance', '=', row.id)
    .where('kind', '=', 'start')
    .where('requested_by', '=', asker)
    .where('state', '<>', 'refused')
    .where('started_at', '>=', since)
    .execute();
  if (tried.length < most) return null;
  return `started again ${tried.length} times within ${withinMs / 60_000} minutes, so it stays off`;
}

async function giveUp(inventory: Inventory, { id, epoch, cause }: InstanceRow, why: string): Promise<void> {
  await transact(inventory, (trx) =>
    trx
      .updateTable('instances')
      .set({ restart_due: 0, cause: [cause, why].filter((text) => text !== null).join('; ') })
      .where('id', '=', id)
      .where('epoch', '=', epoch)
      .execute(),
  );
}
