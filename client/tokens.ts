/** Tokens of the gateway: made, listed and revoked by administrators. */
import {
  createToken as create,
  listTokens as list,
  revokeToken as revoke,
  type NewToken,
  type Token,
} from '../activities/inventory/tokens.js';
import { DroverError } from '../model/errors.js';
import { request } from '../model/operation.js';
import type { Caller } from './caller.js';
import { mayAdminister } from './permissions.js';
import { recorded } from './trail.js';

export const tokenRoles = request.shape.role.options;

type TokenAsk = Pick<NewToken, 'name' | 'role' | 'runbooks'> & {
  /** Null: until it is revoked. */
  expiresInSeconds: number | null;
};

/** Answers the secret this once. Throws InvalidInput, PermissionDenied. */
export async function createToken(caller: Caller, ask: TokenAsk): Promise<{ token: Token; secret: string }> {
  const { name, role, runbooks, expiresInSeconds } = ask;
  const details = { role, runbooks, expiresInSeconds };
  return recorded(caller, { action: 'token.create', subject: name, details }, async (more) => {
    mayAdminister(caller, 'tokens are made');
    if (!/^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/.test(name)) {
      throw new DroverError('InvalidInput', `"${name}" is no name of a token`, {
        hint: 'letters, digits, dot, dash, underscore and @, at most 63; it is recorded with all that it does',
      });
    }
    const now = Date.parse(caller.inventory.now());
    const expiresAt =
      expiresInSeconds === null ? null : new Date(now + expiresInSeconds * 1000).toISOString();
    const createdBy = caller.identity.name;
    const made = await create(caller.inventory, { name, role, runbooks, createdBy, expiresAt });
    more({ id: made.token.id });
    return made;
  });
}

/** Throws PermissionDenied: who has which rights is no one else's business. */
export async function listTokens(caller: Caller): Promise<Token[]> {
  mayAdminister(caller, 'tokens are listed');
  return list(caller.inventory);
}

export async function revokeToken(caller: Caller, idOrName: string): Promise<Token> {
  return recorded(caller, { action: 'token.revoke', subject: idOrName }, async (more) => {
    mayAdminister(caller, 'tokens are revoked');
    const revoked = await revoke(caller.inventory, idOrName, caller.identity.name);
    more({ id: revoked.id, name: revoked.name });
    return revoked;
  });
}
