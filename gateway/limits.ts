/** How many requests are taken: of each token, of each address, and of those that guess tokens. */
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DroverError } from '../model/errors.js';
import { identityOf } from './auth.js';

export interface Limits {
  /** Requests a minute of one token. Default 1,200. */
  perToken?: number;
  /** The same for alerts: a storm of them must come through. Default 12,000. */
  alertsPerToken?: number;
  /** Requests a minute of one address that name no good token. Default 60. */
  guessesPerAddress?: number;
}

const refusal = (_request: FastifyRequest, { after }: { after: string }): DroverError =>
  new DroverError('TooManyRequests', `more requests than are taken; again in ${after}`);

/** Before routes are added; after `authenticate`. */
export async function limitRequests(
  app: FastifyInstance,
  { perToken = 1200, alertsPerToken = 12_000 }: Limits,
): Promise<void> {
  await app.register(rateLimit, {
    hook: 'preHandler',
    timeWindow: '1 minute',
    max: (request) => (request.url.startsWith('/api/v1/alerts') ? alertsPerToken : perToken),
    keyGenerator: (request) => identityOf(request).token ?? request.ip,
    errorResponseBuilder: refusal,
  });
}

/** Answers what counts a request that names no good token; throws TooManyRequests above the limit. */
export async function guessCounter(
  app: FastifyInstance,
  { guessesPerAddress = 60 }: Limits,
): Promise<(request: FastifyRequest) => Promise<void>> {
  await app.register(rateLimit, { global: false });
  const count = app.createRateLimit({ max: guessesPerAddress, timeWindow: '1 minute' });
  return async (request) => {
    const { isAllowed, ...rest } = await count(request);
    if (isAllowed || !('isExceeded' in rest) || !rest.isExceeded) return;
    const seconds = Math.ceil(rest.ttl / 1000);
    throw new DroverError('TooManyRequests', `too many requests without a good token; again in ${seconds} s`);
  };
}
