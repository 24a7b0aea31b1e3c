/** What was answered to requests with an Idempotency-Key: a repeat gets that answer, and nothing is done twice. */
import { transact, type Inventory } from './database.js';

export interface KeyedRequest {
  /** The id of the token that sent it: keys of others are others. */
  token: string;
  key: string;
  /** sha256 of method, path and body, in hex. */
  request: string;
}

export type Claim =
  | { kind: 'mine' }
  | { kind: 'answered'; status: number; body: string }
  | { kind: 'other' }
  | { kind: 'busy' };

const keptMs = 24 * 3_600_000;
/** Longer than any request is worked on: whoever had it is gone. */
const staleMs = 120_000;

/** Exactly one of those that ask at once gets it. */
export async function claimKey(inventory: Inventory, { token, key, request }: KeyedRequest): Promise<Claim> {
  return transact(inventory, async (trx) => {
    const now = inventory.now();
    const before = (ms: number) => new Date(Date.parse(now) - ms).toISOString();
    await trx.deleteFrom('idempotency_keys').where('created_at', '<', before(keptMs)).execute();
    const values = { token, key, request, status: null, body: null, created_at: now };
    const mine = await trx
      .insertInto('idempotency_keys')
      .values(values)
      .onConflict((conflict) => conflict.columns(['token', 'key']).doNothing())
      .returning('key')
      .executeTakeFirst();
    if (mine !== undefined) return { kind: 'mine' };
    const row = await trx
      .selectFrom('idempotency_keys')
      .selectAll()
      .where('token', '=', token)
      .where('key', '=', key)
      .executeTakeFirstOrThrow();
    if (row.request !== request) return { kind: 'other' };
    if (row.status !== null) return { kind: 'answered', status: row.status, body: row.body ?? '' };
    const taken = await trx
      .updateTable('idempotency_keys')
      .set({ created_at: now })
      .where('token', '=', token)
      .where('key', '=', key)
      .where('status', 'is', null)
      .where('created_at', '<', before(staleMs))
      .returning('key')
      .executeTakeFirst();
    return taken === undefined ? { kind: 'busy' } : { kind: 'mine' };
  });
}

/** Null where it was not done: then it may be sent again with the same key. */
export async function settleKey(
  inventory: Inventory,
  { token, key }: Pick<KeyedRequest, 'token' | 'key'>,
  answer: { status: number; body: string } | null,
): Promise<void> {
  await transact(inventory, async (trx) => {
    if (answer === null)
      await trx.deleteFrom('idempotency_keys').where('token', '=', token).where('key', '=', key).execute();
    else
      await trx
        .updateTable('idempotency_keys')
        .set(answer)
        .where('token', '=', token)
        .where('key', '=', key)
        .execute();
  });
}
