/** Routes of the REST API: what each takes and answers is a schema, from which it is checked and described (OpenAPI). */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Caller } from '../client/caller.js';
import type { Gateway } from './gateway.js';
import { callerOf } from './caller.js';
import { validators } from './input.js';
import { problem } from './schemas/common.js';

type Shape = z.ZodObject;
const nothing = z.strictObject({});
type Nothing = typeof nothing;

/** What a handler answers: by default with the first status that the route declares. */
export class Answer {
  constructor(
    readonly status: number,
    readonly body: unknown,
    /** Where what was begun is looked at. */
    readonly location?: string,
  ) {}
}

interface Route<P extends Shape, Q extends Shape, B extends Shape> {
  method: 'GET' | 'POST';
  url: string;
  /** Its name in clients that are made from the description. */
  operationId: string;
  summary: string;
  description?: string;
  params?: P;
  query?: Q;
  body?: B;
  /** By status. */
  answers: Record<number, z.ZodType>;
  handle: (asked: {
    caller: Caller;
    params: z.output<P>;
    query: z.output<Q>;
    body: z.output<B>;
    request: FastifyRequest;
  }) => Promise<unknown>;
}

export type Add = <P extends Shape = Nothing, Q extends Shape = Nothing, B extends Shape = Nothing>(
  route: Route<P, Q, B>,
) => void;

/** What adds routes under `/api/v1`; `tag` groups them in the description. */
export const routesOf =
  (app: FastifyInstance, gateway: Gateway, tag: string): Add =>
  ({ method, url, handle, answers, params, query, body, ...told }) => {
    const [usual = 200] = Object.keys(answers).map(Number);
    const strict = { params: params ?? nothing, querystring: query ?? nothing };
    app.route({
      method,
      url: `/api/v1${url}`,
      schema: {
        tags: [tag],
        ...told,
        ...strict,
        ...(method === 'POST' ? { body: body ?? nothing } : {}),
        response: { ...answers, '4xx': problem, '5xx': problem },
      },
      validatorCompiler: validators,
      // What a view answers is told as it is: a schema that knows less must not hide it, nor fail the answer.
      serializerCompiler: () => (value) => JSON.stringify(value),
      async handler(request, reply) {
        const answer = await handle({
          caller: callerOf(gateway, request),
          params: request.params as never,
          query: request.query as never,
          body: request.body as never,
          request,
        });
        if (!(answer instanceof Answer)) return reply.status(usual).send(answer);
        if (answer.location !== undefined) void reply.header('location', answer.location);
        return reply.status(answer.status).send(answer.body);
      },
    });
  };
