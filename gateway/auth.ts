/** Every request but those for health names a token: `Authorization: Bearer …`, or Basic with the token as its password. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { findToken, touchToken } from '../activities/inventory/tokens.js';
import type { Identity } from '../client/caller.js';
import { DroverError } from '../model/errors.js';
import type { Gateway } from './gateway.js';

const identities = new WeakMap<FastifyRequest, Identity>();

/** Who asks; only of a request that was let in. */
export function identityOf(request: FastifyRequest): Identity {
  const identity = identities.get(request);
  if (identity === undefined) throw new DroverError('Unauthenticated', 'the request names no token');
  return identity;
}

/** `refused` counts requests without a good token, and throws TooManyRequests where they are too many. */
export function authenticate(
  app: FastifyInstance,
  { inventory }: Gateway,
  refused: (request: FastifyRequest) => Promise<void>,
): void {
  app.addHook('onRequest', async (request) => {
    const token = await findTokenOf(request, inventory).catch(async (error: unknown) => {
      if (error instanceof DroverError && error.code === 'Unauthenticated') await refused(request);
      throw error;
    });
    const { id, name, role, runbooks } = token;
    identities.set(request, { name, role, token: id, runbooks });
    await touchToken(inventory, token).catch((error: unknown) =>
      request.log.warn({ token: id, error: String(error) }, 'the use of a token could not be noted'),
    );
  });
}

const findTokenOf = async (request: FastifyRequest, inventory: Gateway['inventory']) =>
  findToken(inventory, secretIn(request.headers.authorization));

function secretIn(header = ''): string {
  const [, scheme = '', value = ''] = /^(bearer|basic)\s+(\S+)\s*$/i.exec(header) ?? [];
  if (value === '') throw new DroverError('Unauthenticated', 'the request names no token');
  if (scheme.toLowerCase() === 'bearer') return value;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return pair.slice(pair.indexOf(':') + 1);
}
