import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { expect, it } from 'vitest';
import { dataConverterOf, encryptionCodec, type EncryptionKey } from '../../../temporal/codec.js';

const key = (id: string): EncryptionKey => ({ id, secret: randomBytes(32) });
const [old, fresh] = [key('old'), key('new')];
const payload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (one: Payload | undefined): unknown => one && defaultPayloadConverter.fromPayload(one);
const one = async (made: Promise<Payload[]>): Promise<Payload> => {
  const [first] = await made;
  if (first === undefined) throw new Error('nothing came');
  return first;
};
const secret = { user: 'canary-4711' };

it('gives back what it took, and shows nothing of it', async () => {
  const codec = encryptionCodec([fresh]);
  const hidden = await codec.encode([payload(secret), payload(undefined), payload(new Uint8Array([1, 2]))]);
  for (const { data } of hidden) expect(Buffer.from(data ?? []).toString('latin1')).not.toContain('canary');
  expect(Object.keys(hidden[0]?.metadata ?? {}).toSorted()).toEqual(['encoding', 'encryption-key-id']);
  const back = await codec.decode(hidden);
  expect(back.map(valueOf)).toEqual([secret, undefined, new Uint8Array([1, 2])]);
});

it('encrypts the same value to something else each time', async () => {
  const codec = encryptionCodec([fresh]);
  const [first, second] = await codec.encode([payload(secret), payload(secret)]);
  expect(first?.data).not.toEqual(second?.data);
});

it('reads what an older key encrypted, and what was never encrypted, after a rotation', async () => {
  const before = await encryptionCodec([old]).encode([payload(secret)]);
  const after = encryptionCodec([fresh, old]);
  expect((await after.decode([...before, payload('plain')])).map(valueOf)).toEqual([secret, 'plain']);
  const written = await one(after.encode([payload(secret)]));
  expect(Buffer.from(written.metadata?.['encryption-key-id'] ?? []).toString()).toBe('new');
});

it('names the key that it lacks', async () => {
  const before = await encryptionCodec([old]).encode([payload(secret)]);
  await expect(encryptionCodec([fresh]).decode(before)).rejects.toMatchObject({
    code: 'InvalidConfig',
    message: 'it was encrypted with the key old, and only new are known here',
  });
});

it('takes nothing that was changed, nor under another id or secret', async () => {
  const codec = encryptionCodec([fresh, old]);
  const hidden = await one(codec.encode([payload(secret)]));
  const bytes = Buffer.from(hidden.data ?? []);
  for (const place of [0, 20, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[place] = (changed[place] ?? 0) ^ 1;
    await expect(codec.decode([{ ...hidden, data: changed }])).rejects.toMatchObject({
      code: 'InvalidConfig',
    });
  }
  const pointed = { ...hidden.metadata, 'encryption-key-id': Buffer.from('old') };
  await expect(codec.decode([{ ...hidden, metadata: pointed }])).rejects.toMatchObject({
    code: 'InvalidConfig',
  });
  const impostor = encryptionCodec([key('new')]);
  await expect(impostor.decode([hidden])).rejects.toThrow("can't be read with the key of that id here");
});

it('is none without a key', () => {
  expect(dataConverterOf([])).toBeUndefined();
});
