/** The gateway: what drover answers by HTTP. It listens nowhere by itself: serve.ts does, and tests inject requests. */
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { Registry } from 'prom-client';
import { authenticate } from './auth.js';
import type { Gateway } from './gateway.js';
import { answerErrors } from './errors.js';
import { answerRepeats } from './idempotency.js';
import { guessCounter, limitRequests, type Limits } from './limits.js';
import { describeApi } from './openapi.js';
import { register as alerts } from './routes/alerts.js';
import { register as audit } from './routes/audit.js';
import { allowUi, register as codec } from './routes/codec.js';
import { register as events } from './routes/events.js';
import { register as health } from './routes/health.js';
import { register as hosts } from './routes/hosts.js';
import { register as identity } from './routes/identity.js';
import { register as incidents } from './routes/incidents.js';
import { register as instances } from './routes/instances.js';
import { register as metrics } from './routes/metrics.js';
import { register as runbooks } from './routes/runbooks.js';
import { register as runs } from './routes/runs.js';
import { register as schedules } from './routes/schedules.js';

export interface AppOptions {
  logger?: FastifyServerOptions['logger'];
  tls?: { cert: Buffer; key: Buffer };
  /** How long a client may take for its whole request; default 15 s. */
  requestTimeoutMs?: number;
  limits?: Limits;
}

const mebibyte = 1024 * 1024;

export async function buildApp(gateway: Gateway, options: AppOptions = {}): Promise<FastifyInstance> {
  const { logger = false, tls, requestTimeoutMs = 15_000, limits = {} } = options;
  const patience = {
    headersTimeout: requestTimeoutMs,
    // How often Node looks for slow clients.
    connectionsCheckingInterval: Math.min(requestTimeoutMs, 5000),
  };
  const common = { logger, bodyLimit: mebibyte, requestTimeout: requestTimeoutMs };
  const app: FastifyInstance =
    tls === undefined
      ? Fastify({ ...common, http: patience })
      : Fastify({ ...common, https: { ...patience, ...tls } });
  answerErrors(app);
  app.addHook('onSend', async (_request, reply) => {
    void reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
  });
  await describeApi(app, '1.0.0');
  health(app, gateway);
  allowUi(app, gateway);
  const refused = await guessCounter(app, limits);
  await app.register(async (inner) => {
    authenticate(inner, gateway, refused);
    await limitRequests(inner, limits);
    answerRepeats(inner, gateway);
    identity(inner);
    const registry = new Registry();
    metrics(inner, gateway, registry);
    alerts(inner, gateway, registry);
    codec(inner, gateway);
    for (const register of [runbooks, runs, instances, hosts, incidents, audit, schedules, events])
      register(inner, gateway);
  });
  return app;
}
