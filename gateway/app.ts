/** The gateway: what drover answers by HTTP. It listens nowhere by itself: serve.ts does, and tests inject requests. */
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import type { Inventory } from '../activities/inventory/database.js';
import type { Strategy } from '../activities/inventory/placement/request.js';
import type { TemporalConnection } from '../temporal/connect.js';
import { authenticate } from './auth.js';
import { answerErrors } from './errors.js';
import { Registry } from 'prom-client';
import { register as alerts } from './routes/alerts.js';
import { register as health } from './routes/health.js';
import { register as identity } from './routes/identity.js';
import { register as metrics } from './routes/metrics.js';

export interface Gateway {
  readonly cloud: string;
  readonly inventory: Inventory;
  readonly strategy?: Strategy;
  /** Folders of the user's own runbooks. */
  readonly folders: readonly string[];
  /** Connects at its first use; throws TemporalUnreachable within 5 s. */
  temporal(): Promise<TemporalConnection>;
}

export interface AppOptions {
  logger?: FastifyServerOptions['logger'];
  tls?: { cert: Buffer; key: Buffer };
  /** How long a client may take for its whole request; default 15 s. */
  requestTimeoutMs?: number;
}

const mebibyte = 1024 * 1024;

export async function buildApp(gateway: Gateway, options: AppOptions = {}): Promise<FastifyInstance> {
  const { logger = false, tls, requestTimeoutMs = 15_000 } = options;
  const limits = {
    headersTimeout: requestTimeoutMs,
    // How often Node looks for slow clients.
    connectionsCheckingInterval: Math.min(requestTimeoutMs, 5000),
  };
  const common = { logger, bodyLimit: mebibyte, requestTimeout: requestTimeoutMs };
  const app: FastifyInstance =
    tls === undefined
      ? Fastify({ ...common, http: limits })
      : Fastify({ ...common, https: { ...limits, ...tls } });
  answerErrors(app);
  app.addHook('onSend', async (_request, reply) => {
    void reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
  });
  health(app, gateway);
  await app.register((inner) => {
    authenticate(inner, gateway);
    identity(inner);
    const registry = new Registry();
    metrics(inner, gateway, registry);
    alerts(inner, gateway, registry);
  });
  return app;
}
