/** Whether the keys can be read here; the same must hold on every machine of drover. */
import { encryptionKeys } from '../config/encryption.js';
import { checkSecret } from '../config/secrets.js';
import type { Config } from '../config/config.js';
import { DroverError } from '../model/errors.js';
import type { Check } from './doctor.js';

const name = 'encryption';

export async function encryptionChecks({ encryption }: Pick<Config, 'encryption'>): Promise<Check[]> {
  const [writing] = encryption.keys;
  if (writing === undefined) return [];
  try {
    await encryptionKeys(encryption, process.env);
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    return [{ name, state: 'failed', message: error.message, fix: error.hint, code: error.code }];
  }
  const unsafe = await Promise.all(encryption.keys.map(({ key }) => checkSecret(key, process.env)));
  const problems = unsafe.flatMap((message) =>
    message === null
      ? []
      : [{ name, state: 'warning' as const, message, fix: 'chmod 600 it', code: 'InvalidConfig' as const }],
  );
  if (problems.length > 0) return problems;
  const message = `the key ${writing.id} encrypts what Temporal keeps; ${encryption.keys.length} can decrypt`;
  return [{ name, state: 'ok', message, fix: null, code: 'Internal' }];
}
