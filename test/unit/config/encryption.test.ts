import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { loadConfig } from '../../../config/config.js';
import { encryptionKeys } from '../../../config/encryption.js';
import { makePlace } from '../cli/drover.js';

const folder = mkdtempSync(join(tmpdir(), 'drover-encryption-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function configOf(yaml: string) {
  const file = join(folder, 'drover.yaml');
  writeFileSync(file, yaml);
  return (await loadConfig({ file, env: {} })).encryption;
}
const secret = Buffer.alloc(32, 7).toString('base64');

it('reads keys where they are', async () => {
  const told = await configOf('encryption:\n  keys:\n    - { id: a, key: "env:KEY" }\n');
  await expect(encryptionKeys(told, { KEY: secret })).resolves.toEqual([
    { id: 'a', secret: Buffer.alloc(32, 7) },
  ]);
  await expect(encryptionKeys(await configOf('cloud: c\n'), {})).resolves.toEqual([]);
});

it('refuses what is no key, without telling it', async () => {
  const told = await configOf('encryption:\n  keys:\n    - { id: a, key: "env:KEY" }\n');
  const short = Buffer.from('hunter2').toString('base64');
  const refused = await encryptionKeys(told, { KEY: short }).catch((error: unknown) => String(error));
  expect(refused).toContain('the encryption key a (env:KEY) is not 32 bytes in base64');
  expect(refused).not.toContain(short);
  await expect(encryptionKeys(told, {})).rejects.toThrow('env:KEY is not set');
});

it('refuses a key in the file itself, and one id twice, each at its place', async () => {
  await expect(configOf(`encryption:\n  keys:\n    - { id: a, key: "${secret}" }\n`)).rejects.toThrow(
    /drover\.yaml:3:\d+: encryption\.keys\[0\]\.key: must be env:NAME or file:\/path, never the key itself/,
  );
  const twice = 'encryption:\n  keys:\n    - { id: a, key: "env:K" }\n    - { id: a, key: "env:L" }\n';
  await expect(configOf(twice)).rejects.toThrow(/drover\.yaml:4:\d+: .*a is the id of another key, too/);
});

it('makes a key that only its owner reads, and overwrites none', async () => {
  const place = makePlace();
  try {
    const file = join(folder, 'key');
    const made = await place.drover(['encryption', 'new-key', file, '--id', 'k1', '-o', 'json']);
    expect(JSON.parse(made.stdout)).toEqual({ id: 'k1', key: `file:${file}` });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const told = await configOf(`encryption:\n  keys:\n    - { id: k1, key: "file:${file}" }\n`);
    expect((await encryptionKeys(told, {}))[0]?.secret).toHaveLength(32);
    const again = await place.drover(['encryption', 'new-key', file]);
    expect(again).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('there is such a file already') as string,
    });
  } finally {
    place.remove();
  }
});
