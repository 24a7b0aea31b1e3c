/** Who a token is: to try one before it is put into Alertmanager or a script. */
import type { FastifyInstance } from 'fastify';
import { identityOf } from '../auth.js';

export function register(app: FastifyInstance): void {
  app.get('/api/v1/identity', async (request) => {
    const { name, role, token = null, runbooks = null } = identityOf(request);
    return { name, role, token, runbooks };
  });
}
