/** For whoever supervises the gateway, without a token: does the process live, and can it do its work. */
import type { FastifyInstance } from 'fastify';
import { read } from '../../activities/inventory/database.js';
import type { Gateway } from '../gateway.js';

const patienceMs = 5000;

export function register(app: FastifyInstance, gateway: Gateway): void {
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (request, reply) => {
    const entries = await Promise.all(
      Object.entries(checks(gateway)).map(async ([name, check]) => {
        const why = await check().then(
          () => null,
          (error: unknown) => String(error),
        );
        // What is wrong goes to the log: anybody may ask here.
        if (why !== null) request.log.warn({ check: name, why }, 'not ready');
        return [name, why === null ? 'ok' : 'away'] as const;
      }),
    );
    const ready = entries.every(([, state]) => state === 'ok');
    void reply.status(ready ? 200 : 503);
    return { status: ready ? 'ok' : 'not ready', checks: Object.fromEntries(entries) };
  });
}

const checks = (gateway: Gateway): Record<string, () => Promise<unknown>> => ({
  // One row: anybody may ask, as often as they like.
  inventory: () => read(gateway.inventory, (db) => db.selectFrom('hosts').select('name').limit(1).execute()),
  async temporal() {
    const { connection } = await gateway.temporal();
    await connection.withDeadline(Date.now() + patienceMs, () =>
      connection.workflowService.getSystemInfo({}),
    );
  },
});
