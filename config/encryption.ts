/** What drover.yaml says of the keys with which all that Temporal keeps is encrypted: never a secret, only where it is. */
import { z } from 'zod';
import { DroverError } from '../model/errors.js';
import { resolveSecret } from './secrets.js';
import type { FileIssue, YamlFile } from './yaml-file.js';

const keySchema = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error: 'must be letters, digits, dots, - or _' })
    .describe('Its name, which stands beside all that it encrypted: give a new secret a new one.'),
  key: z
    .string()
    .regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+)$/, {
      error: 'must be env:NAME or file:/path, never the key itself',
    })
    .describe('Where it is: env:NAME or file:/path, 32 bytes in base64 (`drover encryption new-key FILE`).'),
});

export const encryptionSchema = z
  .strictObject({
    keys: z
      .array(keySchema)
      .default([])
      .describe(
        'The first encrypts, all of them decrypt: put a new one first, and keep the old ones for as long as Temporal keeps what they encrypted. ' +
          'Without any nothing is encrypted.',
      ),
  })
  .prefault({})
  .describe(
    'Encryption of what Temporal keeps: inputs, results, heartbeats, memos, summaries. The same for every process of drover.',
  );

export type EncryptionConfig = z.output<typeof encryptionSchema>;

export function encryptionIssues({ keys }: EncryptionConfig, issue: YamlFile<unknown>['issue']): FileIssue[] {
  return keys.flatMap(({ id }, index) =>
    keys.findIndex((other) => other.id === id) === index
      ? []
      : issue(['encryption', 'keys', index, 'id'], `${id} is the id of another key, too`),
  );
}

const keyBytes = 32;

/** Reads the keys. Throws InvalidConfig that names the reference, never what is there. */
export async function encryptionKeys(
  { keys }: EncryptionConfig,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ id: string; secret: Uint8Array }[]> {
  return Promise.all(
    keys.map(async ({ id, key }) => {
      const text = await resolveSecret(key, env);
      const secret = Buffer.from(text, 'base64');
      if (secret.length === keyBytes && /^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return { id, secret };
      throw new DroverError(
        'InvalidConfig',
        `the encryption key ${id} (${key}) is not ${keyBytes} bytes in base64`,
        {
          hint: 'make one with `drover encryption new-key FILE`',
        },
      );
    }),
  );
}
