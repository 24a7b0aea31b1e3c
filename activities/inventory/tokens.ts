/** Tokens of the gateway. The secret is kept nowhere: only its sha256, which is enough since it is random. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { DroverError } from '../../model/errors.js';
import { read, transact, type Inventory } from './database.js';
import type { TokensTable } from './schema-access.js';

export interface Token {
  id: string;
  name: string;
  role: TokensTable['role'];
  /** The only runbooks that it may start; null for all that its role may. */
  runbooks: string[] | null;
  createdAt: string;
  createdBy: string;
  expiresAt: string | null;
  revokedAt: string | null;
  revokedBy: string | null;
  lastUsedAt: string | null;
}

export type NewToken = Pick<Token, 'name' | 'role' | 'runbooks' | 'createdBy' | 'expiresAt'>;

/** The secret is answered this once. */
export async function createToken(
  inventory: Inventory,
  given: NewToken,
): Promise<{ token: Token; secret: string }> {
  const id = randomBytes(4).toString('hex');
  const secret = `drover_${id}_${randomBytes(32).toString('base64url')}`;
  const row: TokensTable = {
    id,
    name: given.name,
    role: given.role,
    hash: hashOf(secret).toString('hex'),
    runbooks: given.runbooks === null ? null : JSON.stringify(given.runbooks),
    created_at: inventory.now(),
    created_by: given.createdBy,
    expires_at: given.expiresAt,
    revoked_at: null,
    revoked_by: null,
    last_used_at: null,
  };
  await transact(inventory, (trx) => trx.insertInto('tokens').values(row).execute());
  return { token: tokenOf(row), secret };
}

/**
 * The token with this secret. Throws Unauthenticated, which says nothing of what is there to who has no secret; only
 * who has it hears that it is expired or revoked.
 */
export async function findToken(inventory: Inventory, secret: string): Promise<Token> {
  const id = /^drover_([0-9a-f]{8})_[A-Za-z0-9_-]{43}$/.exec(secret)?.[1];
  if (id === undefined) throw new DroverError('Unauthenticated', 'that is no token of drover');
  const row = await read(inventory, (db) =>
    db.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst(),
  );
  const kept = row === undefined ? Buffer.alloc(32) : Buffer.from(row.hash, 'hex');
  if (!timingSafeEqual(hashOf(secret), kept) || row === undefined)
    throw new DroverError('Unauthenticated', 'nobody has this token');
  if (row.revoked_at !== null)
    throw new DroverError('Unauthenticated', `the token ${row.name} was revoked at ${row.revoked_at}`);
  if (row.expires_at !== null && row.expires_at <= inventory.now())
    throw new DroverError('Unauthenticated', `the token ${row.name} has expired at ${row.expires_at}`);
  return tokenOf(row);
}

/** Notes that it was used: at most once a minute, since each note takes the write lock. */
export async function touchToken(inventory: Inventory, { id, lastUsedAt }: Token): Promise<void> {
  const now = inventory.now();
  if (lastUsedAt !== null && Date.parse(now) - Date.parse(lastUsedAt) < 60_000) return;
  await transact(inventory, (trx) =>
    trx.updateTable('tokens').set({ last_used_at: now }).where('id', '=', id).execute(),
  );
}

/** The newest first. */
export async function listTokens(inventory: Inventory): Promise<Token[]> {
  const rows = await read(inventory, (db) =>
    db.selectFrom('tokens').selectAll().orderBy('created_at', 'desc').orderBy('id').execute(),
  );
  return rows.map(tokenOf);
}

/** By id, or by name where one that is not revoked has it. Throws NotFound, Ambiguous. */
export async function revokeToken(inventory: Inventory, idOrName: string, by: string): Promise<Token> {
  return transact(inventory, async (trx) => {
    const rows = await trx
      .selectFrom('tokens')
      .selectAll()
      .where((or) => or.or([or('id', '=', idOrName), or('name', '=', idOrName)]))
      .where('revoked_at', 'is', null)
      .execute();
    const [row, ...others] = rows.some(({ id }) => id === idOrName)
      ? rows.filter(({ id }) => id === idOrName)
      : rows;
    if (row === undefined) {
      throw new DroverError('NotFound', `no token "${idOrName}" is in use`, {
        hint: 'list the tokens with `drover api-token list`',
      });
    }
    if (others.length > 0) {
      const ids = rows.map(({ id }) => id);
      throw new DroverError(
        'Ambiguous',
        `${rows.length} tokens are called "${idOrName}": ${ids.join(', ')}`,
        {
          details: { ids },
          hint: 'name one by its id',
        },
      );
    }
    const revoked = { revoked_at: inventory.now(), revoked_by: by };
    await trx.updateTable('tokens').set(revoked).where('id', '=', row.id).execute();
    return tokenOf({ ...row, ...revoked });
  });
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

const tokenOf = (row: TokensTable): Token => ({
  id: row.id,
  name: row.name,
  role: row.role,
  runbooks: row.runbooks === null ? null : (JSON.parse(row.runbooks) as string[]),
  createdAt: row.created_at,
  createdBy: row.created_by,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
  revokedBy: row.revoked_by,
  lastUsedAt: row.last_used_at,
});
