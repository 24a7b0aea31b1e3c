/** The description of the API, made from the schemas of its routes. */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';

/** Before the routes: it sees those that come after. */
export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    hideUntagged: true,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'drover',
        version,
        description:
          'Durable operations on virtual machines. What is begun goes on whatever becomes of who asked: a POST answers 202 with ' +
          'where to look. Objects may get more keys; none goes away within v1.',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'A token of `drover api-token create`.' },
          basic: { type: 'http', scheme: 'basic', description: 'The token is the password; any user name.' },
        },
      },
      security: [{ bearer: [] }, { basic: [] }],
    },
    transform: jsonSchemaTransform,
  });
  // Without a token: it holds nothing of the cloud, and whoever makes a client has none yet.
  app.get('/openapi.json', async () => app.swagger());
}
