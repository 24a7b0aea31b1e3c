/** Notices: rows that say what is to be told to whom. Each has an id that follows from what it tells, so it is there once. */
import type { Notice } from '../../model/notice.js';
import { DroverError } from '../../model/errors.js';
import { read, transact, type Inventory } from './database.js';
import type { NoticesTable } from './schema-outside.js';
import type { Selectable } from 'kysely';

/** Whoever took one and was killed: it is taken again after this long. */
const leaseMs = 60_000;
const giveUpMs = 24 * 3_600_000;
const firstPauseMs = 5000;
const mostPauseMs = 15 * 60_000;
/** So long what was sent, or given up, is kept. */
const keptMs = 7 * 24 * 3_600_000;

const later = (now: string, ms: number): string => new Date(Date.parse(now) + ms).toISOString();

/** Since when each receiver is known: from now on for those that are new. */
export async function knowReceivers(
  inventory: Inventory,
  names: readonly string[],
): Promise<Map<string, string>> {
  const rows = await read(inventory, (db) => db.selectFrom('notice_receivers').selectAll().execute());
  const known = new Map(rows.map((row) => [row.name, row.since]));
  const fresh = names.filter((name) => !known.has(name));
  if (fresh.length === 0) return known;
  // Another worker may have met them meanwhile: then what it wrote holds.
  return transact(inventory, async (trx) => {
    const since = inventory.now();
    await trx
      .insertInto('notice_receivers')
      .values(fresh.map((name) => ({ name, since })))
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
    const all = await trx.selectFrom('notice_receivers').selectAll().execute();
    return new Map(all.map((row) => [row.name, row.since]));
  });
}

/** What happened before is written by now: the next look begins there, also that of another worker. */
export async function lookedUntil(inventory: Inventory, names: readonly string[], at: string): Promise<void> {
  await transact(inventory, (trx) =>
    trx
      .updateTable('notice_receivers')
      .set({ since: at })
      .where('name', 'in', [...names])
      .where('since', '<', at)
      .execute(),
  );
}

export type NewNotice = Pick<Notice, 'id' | 'receiver' | 'event' | 'subject' | 'body'>;

/** Those that are there already stay as they are. */
export async function putNotices(inventory: Inventory, notices: readonly NewNotice[]): Promise<void> {
  if (notices.length === 0) return;
  const now = inventory.now();
  const known = await read(inventory, (db) =>
    db
      .selectFrom('notices')
      .select('id')
      .where(
        'id',
        'in',
        notices.map(({ id }) => id),
      )
      .execute(),
  );
  const there = new Set(known.map(({ id }) => id));
  const fresh = notices.filter(({ id }) => !there.has(id));
  if (fresh.length === 0) return;
  await transact(inventory, (trx) =>
    trx
      .insertInto('notices')
      .values(fresh.map((one) => ({ ...one, next_at: now, error: null, created_at: now, sent_at: null })))
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute(),
  );
}

/** Takes up to `limit` that are due; of several senders each has others. */
export async function takeNotices(inventory: Inventory, receiver: string, limit: number): Promise<Notice[]> {
  const now = inventory.now();
  const due = await read(inventory, (db) =>
    db
      .selectFrom('notices')
      .selectAll()
      .where('receiver', '=', receiver)
      .where('next_at', '<=', now)
      .orderBy('next_at')
      .orderBy('id')
      .limit(limit)
      .execute(),
  );
  if (due.length === 0) return [];
  return transact(inventory, async (trx) => {
    const taken: Notice[] = [];
    for (const row of due) {
      const mine = await trx
        .updateTable('notices')
        .set({ next_at: later(now, leaseMs), attempts: row.attempts + 1 })
        .where('id', '=', row.id)
        .where('next_at', '=', row.next_at)
        .where('attempts', '=', row.attempts)
        .returning('id')
        .executeTakeFirst();
      if (mine !== undefined) taken.push(noticeOf({ ...row, attempts: row.attempts + 1 }));
    }
    return taken;
  });
}

/** What came of an attempt; `error` null: it was taken. Tried again after growing pauses, for a day. */
export async function settleNotice(
  inventory: Inventory,
  { id, attempts, createdAt }: Notice,
  error: string | null,
): Promise<void> {
  const now = inventory.now();
  const pause = Math.min(firstPauseMs * 2 ** (attempts - 1), mostPauseMs);
  const over = Date.parse(now) + pause - Date.parse(createdAt) > giveUpMs;
  const change =
    error === null
      ? { sent_at: now, next_at: null, error: null }
      : over
        ? { next_at: null, error: `given up after ${attempts} attempts: ${error}` }
        : { next_at: later(now, pause), error };
  await transact(inventory, async (trx) => {
    // Not where its time was over, and another sender has it, or has sent it.
    await trx
      .updateTable('notices')
      .set(change)
      .where('id', '=', id)
      .where('attempts', '=', attempts)
      .where('sent_at', 'is', null)
      .execute();
    await trx
      .deleteFrom('notices')
      .where('next_at', 'is', null)
      .where('created_at', '<', later(now, -keptMs))
      .execute();
  });
}

/** Newest first; without `all` those that were not taken yet. */
export async function listNotices(
  inventory: Inventory,
  { all = false, limit = 100 }: { all?: boolean; limit?: number } = {},
): Promise<Notice[]> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('notices')
      .selectAll()
      .$if(!all, (query) => query.where('sent_at', 'is', null))
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .limit(limit)
      .execute(),
  );
  return rows.map(noticeOf);
}

/** Now, and for another day. Throws NotFound. */
export async function retryNotice(inventory: Inventory, id: string): Promise<Notice> {
  const now = inventory.now();
  return transact(inventory, async (trx) => {
    const row = await trx
      .updateTable('notices')
      .set({ next_at: now, created_at: now, attempts: 0 })
      .where('id', '=', id)
      .where('sent_at', 'is', null)
      .returningAll()
      .executeTakeFirst();
    if (row) return noticeOf(row);
    throw new DroverError('NotFound', `no notice ${id} waits or was given up`, {
      hint: 'list them with `drover notification list`',
    });
  });
}

const noticeOf = (row: Selectable<NoticesTable>): Notice => ({
  id: row.id,
  receiver: row.receiver,
  event: row.event,
  subject: row.subject,
  body: row.body,
  attempts: row.attempts,
  nextAt: row.next_at,
  error: row.error,
  createdAt: row.created_at,
  sentAt: row.sent_at,
});
