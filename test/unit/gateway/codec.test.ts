import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { encryptionCodec } from '../../../temporal/codec.js';
import { openGateway, type Site } from './site.js';

const codec = encryptionCodec([{ id: 'k', secret: randomBytes(32) }]);
let site: Site;
beforeEach(async () => {
  site = await openGateway({}, codec);
});
afterEach(() => site.close());

interface Message {
  payloads: { metadata: Record<string, string>; data: string }[];
}
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const ask = (direction: string, body: unknown, role: 'viewer' | 'operator' = 'operator') =>
  site.ask('POST', `/codec/${direction}`, { body, role, headers: { 'x-namespace': 'default' } });

it('decodes what drover encrypted, and leaves what is not encrypted as it is', async () => {
  const plain = defaultPayloadConverter.toPayload({ host: 'h1' });
  const [secret] = await codec.encode([plain]);
  const told = [secret, plain].map((payload) => ({
    metadata: Object.fromEntries(
      Object.entries(payload?.metadata ?? {}).map(([key, value]) => [key, base64(value)]),
    ),
    data: base64(payload?.data ?? new Uint8Array()),
  }));
  expect(Buffer.from(told[0]?.data ?? '', 'base64').toString()).not.toContain('h1');
  const answer = await ask('decode', { payloads: told });
  expect(answer.statusCode).toBe(200);
  const { payloads } = answer.json<Message>();
  expect(payloads).toEqual([told[1], told[1]]);
  const back = (await ask('encode', { payloads })).json<Message>();
  expect(Buffer.from(back.payloads[0]?.metadata['encoding'] ?? '', 'base64').toString()).toBe(
    'binary/encrypted',
  );
});

it('a viewer, a stranger, what is no payload and a key that nobody knows are refused', async () => {
  expect((await ask('decode', { payloads: [] }, 'viewer')).json()).toMatchObject({
    code: 'PermissionDenied',
  });
  expect((await site.app.inject({ method: 'POST', url: '/codec/decode', payload: {} })).statusCode).toBe(401);
  expect((await ask('decode', { payloads: 'x' })).json()).toMatchObject({ code: 'InvalidInput' });
  expect((await ask('decode', { payloads: [{ data: '%%' }] })).json()).toMatchObject({
    code: 'InvalidInput',
  });
  const foreign = { encoding: btoa('binary/encrypted'), 'encryption-key-id': btoa('other') };
  const answer = await ask('decode', { payloads: [{ metadata: foreign, data: btoa('x') }] });
  expect([answer.statusCode, answer.json().message]).toEqual([400, expect.stringContaining('the key other')]);
});

it('answers the browser of a Temporal UI that is named, and no other', async () => {
  const preflight = (origin: string) =>
    site.app.inject({
      method: 'OPTIONS',
      url: '/codec/decode',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
  const good = await preflight('https://ui.example');
  expect([good.statusCode, good.headers['access-control-allow-origin']]).toEqual([204, 'https://ui.example']);
  expect(good.headers['access-control-allow-headers']).toContain('authorization');
  expect((await preflight('https://evil.example')).headers['access-control-allow-origin']).toBeUndefined();
});

it('says so where nothing is encrypted', async () => {
  const open = await openGateway();
  const answer = await open.ask('POST', '/codec/decode', { body: { payloads: [] } });
  expect(answer.json()).toMatchObject({
    code: 'WrongState',
    message: expect.stringContaining('nothing is encrypted'),
  });
  await open.close();
});
