/** What Temporal keeps of drover, encrypted before it leaves the process: AES-256-GCM, one key for writing, more for reading. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { DroverError } from '../model/errors.js';

/** `secret`: 32 bytes. */
export interface EncryptionKey {
  id: string;
  secret: Uint8Array;
}

/** As Temporal's own samples name it, which other tools know. */
const encoding = 'binary/encrypted';
const keyIdField = 'encryption-key-id';
const nonceBytes = 12;
const tagBytes = 16;
// A CommonJS module, whose names plain Node does not see.
const { Payload: wire } = proto.temporal.api.common.v1;

/** For clients and workers alike; undefined without a key: then nothing is encrypted. */
export function dataConverterOf(keys: readonly EncryptionKey[]): DataConverter | undefined {
  const [first, ...more] = keys;
  return first === undefined ? undefined : { payloadCodecs: [encryptionCodec([first, ...more])] };
}

/** The first key encrypts, each decrypts what it encrypted. What is not encrypted is read as it is: older histories go on. */
export function encryptionCodec(keys: readonly [EncryptionKey, ...EncryptionKey[]]): PayloadCodec {
  const [writing] = keys;
  const byId = new Map(keys.map((key) => [key.id, key]));
  return {
    encode: async (payloads) => payloads.map((payload) => encrypted(payload, writing)),
    decode: async (payloads) => payloads.map((payload) => decrypted(payload, byId)),
  };
}

function encrypted(payload: Payload, { id, secret }: EncryptionKey): Payload {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce);
  // The id is authenticated, too: nobody can point a payload at another key.
  cipher.setAAD(Buffer.from(id));
  const data = [nonce, cipher.update(wire.encode(payload).finish()), cipher.final(), cipher.getAuthTag()];
  return {
    metadata: { encoding: Buffer.from(encoding), [keyIdField]: Buffer.from(id) },
    data: Buffer.concat(data),
  };
}

function decrypted(payload: Payload, keys: ReadonlyMap<string, EncryptionKey>): Payload {
  const { metadata, data } = payload;
  if (text(metadata?.['encoding']) !== encoding) return payload;
  const id = text(metadata?.[keyIdField]);
  const key = keys.get(id);
  if (key === undefined) throw unknownKey(id, [...keys.keys()]);
  const bytes = Buffer.from(data ?? []);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.secret, bytes.subarray(0, nonceBytes));
    decipher.setAAD(Buffer.from(id));
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    const body = bytes.subarray(nonceBytes, -tagBytes);
    const { metadata: was, data: content } = wire.decode(
      Buffer.concat([decipher.update(body), decipher.final()]),
    );
    return { metadata: was, data: content };
  } catch (cause) {
    throw new DroverError(
      'InvalidConfig',
      `what was encrypted with the key ${id} can't be read with the key of that id here`,
      {
        details: { key: id },
        hint: 'the secret of that id was changed, or what Temporal kept was: a new secret needs a new id',
        cause,
      },
    );
  }
}

const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString();

const unknownKey = (id: string, known: readonly string[]): DroverError =>
  new DroverError(
    'InvalidConfig',
    `it was encrypted with the key ${id || 'without an id'}, and only ${known.join(', ')} are known here`,
    {
      details: { key: id, known },
      hint: 'give encryption.keys in drover.yaml that key, too: a key stays there until no workflow that used it is kept any more',
    },
  );
