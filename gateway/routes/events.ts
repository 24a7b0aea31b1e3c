/** What changes, as a stream of server-sent events. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { DroverError } from '../../model/errors.js';
import type { Gateway } from '../gateway.js';
import { EventFeed, type Event } from '../events.js';
import { validators } from '../input.js';
import { problem } from '../schemas/common.js';

const most = 200;
const beatMs = 15_000;
/** Who does not read what it is sent is let go. */
const unreadBytes = 1024 * 1024;

const query = z.strictObject({
  types: z
    .string()
    .regex(/^(run|operation|incident)(,(run|operation|incident))*$/, {
      error: 'takes run, operation and incident, with commas',
    })
    .optional()
    .describe('Only these: run,operation,incident.'),
  subject: z.string().optional().describe('Only those of this host, instance id or runbook.'),
});

export function register(app: FastifyInstance, { inventory }: Gateway): void {
  const feed = new EventFeed(inventory, (error) => app.log.warn({ error: String(error) }, 'events'));
  const open = new Set<() => void>();
  // Before the server waits for its connections to end: these never would.
  app.addHook('preClose', async () => {
    for (const end of open) end();
    feed.close();
  });
  app.get(
    '/api/v1/events',
    {
      schema: {
        tags: ['events'],
        operationId: 'streamEvents',
        summary: 'What changes in runs, operations and incidents, as server-sent events.',
        description:
          'Each has an id; who sends the last one as Last-Event-ID gets what was missed, or an event `reset` where the ' +
          'gateway does not know it any more: then list anew.',
        querystring: query,
        response: { 200: z.string().describe('text/event-stream'), '4xx': problem, '5xx': problem },
      },
      // Refusals alone: the stream is written by hand.
      serializerCompiler: () => (value) => JSON.stringify(value),
      validatorCompiler: validators,
    },
    async (request, reply) => {
      if (feed.count >= most)
        throw new DroverError('TooManyRequests', `${most} streams are open, more are not taken`);
      const { types, subject } = request.query as z.output<typeof query>;
      const wanted = ({ type, data }: Event): boolean =>
        (types === undefined || types.split(',').includes(type)) &&
        (subject === undefined || data.subject === subject);
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      const send = (text: string): void => {
        raw.write(text);
        if (raw.writableLength > unreadBytes) raw.destroy();
      };
      const tell = (event: Event): void => {
        if (wanted(event))
          send(
            `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify({ at: event.at, ...event.data })}\n\n`,
          );
      };
      send('retry: 3000\n\n');
      const last = Number(request.headers['last-event-id'] ?? Number.NaN);
      if (!Number.isNaN(last)) {
        const missed = feed.since(last);
        if (missed === null) send('event: reset\ndata: {}\n\n');
        else for (const event of missed) tell(event);
      }
      const silence = feed.listen(tell);
      const beat = setInterval(() => send(': here\n\n'), beatMs);
      const end = (): void => {
        clearInterval(beat);
        silence();
        open.delete(end);
        raw.end();
      };
      open.add(end);
      raw.once('close', end);
    },
  );
}
