/** What guests did by themselves: told by their hosts, settled by a repair, and read by people. */
import type { Happened } from '../../model/instance.js';
import type { GuestEvent } from '../hypervisor/port.js';
import { read, transact, type Inventory, type Trx } from './database.js';
import type { GuestEventsTable, InstanceRow } from './schema.js';

/** An end that is heard so soon after an operation may be the operation's own; the janitor sees what is not. */
const slackMs = 2_000;

export interface GuestEventRecord {
  at: string;
  host: string;
  event: string;
  detail: string;
  /** Null until somebody has looked. */
  cause: string | null;
  todo: string | null;
}

/**
 * Keeps what a host told of a guest, unless the inventory knows why: an operation runs on it or just did, or it is as
 * it should be. Answers the instance that is to be looked at. The same event, told by several watchers, is one row:
 * between two operations a guest can end only once.
 */
export async function noteGuestEvent(
  inventory: Inventory,
  host: string,
  { id, at, event, detail }: GuestEvent,
): Promise<{ instance: string; name: string; state: string } | null> {
  return transact(inventory, async (trx) => {
    const row = await trx.selectFrom('instances').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined || row.host !== host || row.op_id !== null || !isUnexpected(row, event))
      return null;
    const last = await trx
      .selectFrom('operations')
      .select('ended_at')
      .where('instance', '=', id)
      .where('state', '<>', 'refused')
      .orderBy('epoch', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (last?.ended_at && Date.parse(at) < Date.parse(last.ended_at) + slackMs) return null;
    await trx
      .insertInto('guest_events')
      .values({
        id: `${id}/${row.epoch}/${event}`,
        at,
        host,
        instance: id,
        event,
        detail,
        cause: null,
        todo: null,
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
    return { instance: id, name: row.name, state: row.state };
  });
}

const isUnexpected = ({ state }: InstanceRow, event: GuestEvent['event']): boolean =>
  state === 'active' || (state === 'paused' && event === 'stopped');

/** What a repair found closes what was told; what turned out to be nothing is forgotten. */
export async function settleHappened(
  trx: Trx,
  { id: instance, host }: InstanceRow,
  by: { operation: string; kind: string },
  happened: Happened | undefined,
  at: string,
): Promise<void> {
  if (happened === undefined) {
    if (by.kind === 'repair')
      await trx
        .deleteFrom('guest_events')
        .where('instance', '=', instance)
        .where('cause', 'is', null)
        .execute();
    return;
  }
  const { event, detail, cause, todo } = happened;
  const told = await trx
    .updateTable('guest_events')
    .set({ event, cause, todo })
    .where('instance', '=', instance)
    .where('cause', 'is', null)
    .returning('id')
    .execute();
  if (told.length > 0) return;
  await trx
    .insertInto('guest_events')
    .values({ id: by.operation, at, host: host ?? '', instance, event, detail, cause, todo })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** Newest first. */
export async function listGuestEvents(
  inventory: Inventory,
  instance: string,
  limit = 20,
): Promise<GuestEventRecord[]> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('guest_events')
      .selectAll()
      .where('instance', '=', instance)
      .orderBy('at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute(),
  );
  return rows.map(({ at, host, event, detail, cause, todo }: GuestEventsTable) => ({
    at,
    host,
    event,
    detail,
    cause,
    todo,
  }));
}
