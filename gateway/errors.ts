/** One shape for all that goes wrong: `{ code, message, details, hint }`, with the HTTP status of the error table. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DroverError, type ErrorRecord } from '../model/errors.js';
import { errorTable } from '../model/error-table.js';

export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError | DroverError, request, reply) => answer(error, request, reply));
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split('?', 1)[0];
    const error = new DroverError('NotFound', `there is nothing at ${request.method} ${path}`, {
      hint: 'see docs/gateway.md for what the gateway answers',
    });
    return answer(error, request, reply);
  });
}

async function answer(
  error: FastifyError | DroverError,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<ErrorRecord> {
  if (error instanceof DroverError) {
    const status = errorTable[error.code].http;
    if (status === 401) void reply.header('www-authenticate', 'Bearer realm="drover"');
    if (status >= 500) request.log.error({ code: error.code, told: error.message }, 'refused');
    void reply.status(status);
    return error.toRecord();
  }
  const { statusCode = 500 } = error;
  // Fastify's own refusals: a body too large, no JSON, another media type.
  if (statusCode >= 400 && statusCode < 500) {
    void reply.status(statusCode);
    return new DroverError('InvalidInput', error.message, { hint: 'correct the request' }).toRecord();
  }
  request.log.error({ err: error }, 'failed');
  void reply.status(500);
  return new DroverError('Internal', 'the gateway failed; its log says why').toRecord();
}
