/** What the gateway asks of client/* is asked as the one whose token came with the request. */
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../client/caller.js';
import type { Gateway } from './gateway.js';
import { identityOf } from './auth.js';

export function callerOf(gateway: Gateway, request: FastifyRequest, via: Caller['via'] = 'api'): Caller {
  const { cloud, inventory, strategy } = gateway;
  return {
    cloud,
    inventory,
    ...(strategy === undefined ? {} : { strategy }),
    identity: identityOf(request),
    via,
    temporal: () => gateway.temporal(),
    say: (line) => request.log.info({ says: line }),
  };
}
