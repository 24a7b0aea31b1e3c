/** `Idempotency-Key` on a POST: who sends it again, after a lost answer or a crash of the gateway, gets the answer of the first. */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { claimKey, settleKey, type KeyedRequest } from '../activities/inventory/idempotency.js';
import { uuidOf } from '../client/uuid-of.js';
import { DroverError } from '../model/errors.js';
import type { Gateway } from './gateway.js';
import { identityOf } from './auth.js';

const claims = new WeakMap<FastifyRequest, KeyedRequest>();

/**
 * The id for what the request begins, the same for each repeat: after a crash between the beginning and the answer a repeat
 * finds what was begun. Undefined without a key.
 */
export function idOf(request: FastifyRequest): string | undefined {
  const claim = claims.get(request);
  if (claim === undefined) return undefined;
  return uuidOf(`${claim.token} ${claim.key}`);
}

export function answerRepeats(app: FastifyInstance, { inventory }: Gateway): void {
  app.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key'];
    if (request.method !== 'POST' || key === undefined) return undefined;
    const claim = keyedRequest(request, key);
    const found = await claimKey(inventory, claim);
    switch (found.kind) {
      case 'mine':
        claims.set(request, claim);
        break;
      case 'answered':
        void reply.header('idempotency-replayed', 'true').type('application/json; charset=utf-8');
        return reply.status(found.status).send(found.body);
      case 'busy':
        void reply.header('retry-after', '1');
        throw new DroverError('KeyBusy', `a request with the key ${claim.key} is being worked on`);
      case 'other':
        throw new DroverError('KeyReused', `the key ${claim.key} was used before, for another request`);
    }
    return undefined;
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const claim = claims.get(request);
    if (claim === undefined) return;
    const { statusCode: status } = reply;
    // What failed for a while is not the answer for good. What was done but not recorded is: nobody may do it again.
    const last = status < 500 && status !== 429 ? true : isNotRecorded(payload);
    const answer = last && typeof payload === 'string' ? { status, body: payload } : null;
    await settleKey(inventory, claim, answer).catch((error: unknown) =>
      request.log.warn({ error: String(error) }, 'the answer to a key could not be kept'),
    );
  });
}

const isNotRecorded = (payload: unknown): boolean =>
  typeof payload === 'string' && payload.includes('"code":"NotRecorded"');

function keyedRequest(request: FastifyRequest, key: string | string[]): KeyedRequest {
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key))
    throw new DroverError('InvalidInput', 'Idempotency-Key takes one key of 1 to 200 printable characters', {
      hint: 'take a UUID',
    });
  const { token = '' } = identityOf(request);
  const of = [request.method, request.url, JSON.stringify(request.body ?? null)].join('\n');
  return { token, key, request: createHash('sha256').update(of).digest('hex') };
}
