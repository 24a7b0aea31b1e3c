/** Decodes what Temporal keeps encrypted, for who looks with Temporal's own tools: the protocol of its remote codecs. */
import type { FastifyInstance } from 'fastify';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { z } from 'zod';
import { mayOperate } from '../../client/permissions.js';
import { DroverError } from '../../model/errors.js';
import type { Gateway } from '../gateway.js';
import { callerOf } from '../caller.js';
import { inputOf } from '../input.js';

const message = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), z.base64()).default({}), data: z.base64().default('') }))
    .max(10_000),
});
type Message = z.infer<typeof message>;

/** The browser asks before it sends a token: that question has none. */
export function allowUi(app: FastifyInstance, { uiOrigins }: Gateway): void {
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    if (!request.url.startsWith('/codec/') || origin === undefined || !uiOrigins.includes(origin)) return;
    void reply
      .header('access-control-allow-origin', origin)
      .header('access-control-allow-methods', 'POST')
      .header('access-control-allow-headers', 'authorization, content-type, x-namespace')
      .header('vary', 'origin');
  });
  for (const direction of ['encode', 'decode'])
    app.options(`/codec/${direction}`, async (_request, reply) => reply.status(204).send());
}

export function register(app: FastifyInstance, gateway: Gateway): void {
  for (const direction of ['encode', 'decode'] as const)
    app.post(`/codec/${direction}`, { bodyLimit: 16 * 1024 * 1024 }, async (request) => {
      // What is decoded are inputs: who may only look sees what the inventory tells.
      mayOperate(callerOf(gateway, request));
      const { codec } = gateway;
      if (codec === undefined)
        throw new DroverError(
          'WrongState',
          'nothing is encrypted: there are no encryption.keys in drover.yaml',
          {
            hint: 'leave the codec endpoint out',
          },
        );
      return { payloads: await worked(codec, direction, parsed(request.body)) };
    });
}

async function worked(
  codec: PayloadCodec,
  direction: 'encode' | 'decode',
  { payloads }: Message,
): Promise<Message['payloads']> {
  const given: Payload[] = payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
    ),
    data: Buffer.from(data, 'base64'),
  }));
  const base64 = (bytes: Uint8Array | null | undefined): string =>
    Buffer.from(bytes ?? []).toString('base64');
  return (await codec[direction](given)).map(({ metadata, data }) => ({
    metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([key, value]) => [key, base64(value)])),
    data: base64(data),
  }));
}

const parsed = (body: unknown): Message =>
  inputOf(message, body, {
    what: 'these are no payloads: ',
    hint: 'send what a remote codec of Temporal is sent: { "payloads": [{ "metadata": …, "data": … }] }, in base64',
  });
