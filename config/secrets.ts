/** Secrets by reference: read only where they are used, and cleaned out of all that is told. */
import { readFile, stat } from 'node:fs/promises';
import { DroverError } from '../model/errors.js';

type Env = Readonly<Record<string, string | undefined>>;

/** Throws InvalidConfig that names the reference, never what it refers to. */
export async function resolveSecret(reference: string, env: Env): Promise<string> {
  const text = (await read(reference, env)).replace(/\r?\n$/, '');
  if (text !== '' && !/[\r\n]/.test(text)) return text;
  throw unreadable(reference, text === '' ? 'is empty' : 'has more than one line');
}

/** A sentence about a reference that can't be used, or that others can read; null if all is well. */
export async function checkSecret(reference: string, env: Env): Promise<string | null> {
  try {
    await resolveSecret(reference, env);
  } catch (error) {
    if (error instanceof DroverError) return error.message;
    throw error;
  }
  if (!reference.startsWith('file:')) return null;
  const { mode } = await stat(reference.slice(5));
  return (mode & 0o007) === 0 ? null : `${reference} can be read by everybody: chmod 600 it`;
}

async function read(reference: string, env: Env): Promise<string> {
  if (reference.startsWith('env:')) {
    const value = env[reference.slice(4)];
    if (value !== undefined) return value;
    throw unreadable(reference, 'is not set in the environment of this process');
  }
  try {
    return await readFile(reference.slice(5), 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw unreadable(reference, `cannot be read (${code})`);
  }
}

const unreadable = (reference: string, why: string): DroverError =>
  new DroverError('InvalidConfig', `the secret ${reference} ${why}`, {
    hint: 'the process that uses it reads it there: set it, or correct the reference in drover.yaml',
  });

/** The text without any of the secrets, also as they look in a URL or in base64. */
export function cleaned(text: string, secrets: readonly string[]): string {
  const forms = secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  ]);
  return forms
    .filter((form) => form.length > 0)
    .toSorted((one, other) => other.length - one.length)
    .reduce((told, form) => told.replaceAll(form, '***'), text);
}
