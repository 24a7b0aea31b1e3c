import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadConfig } from '../../../config/config.js';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'drover-gateway-'))));
afterEach(() => rm(folder, { recursive: true }));

async function load(section: string) {
  const file = join(folder, 'drover.yaml');
  await writeFile(file, `gateway:\n${section}`);
  return (await loadConfig({ file })).gateway;
}

it('takes loopback in plain text, and other addresses with a certificate or behind a proxy', async () => {
  expect(await load('  listen: "[::1]:9000"\n')).toEqual({
    address: '::1',
    port: 9000,
    tls: null,
    insecure: false,
    uiOrigins: [],
  });
  const tls = '  tls: { cert: a.crt, key: a.key }\n';
  expect(await load(`  listen: 0.0.0.0:8480\n${tls}`)).toEqual({
    address: '0.0.0.0',
    port: 8480,
    tls: { cert: join(folder, 'a.crt'), key: join(folder, 'a.key') },
    insecure: false,
    uiOrigins: [],
  });
  expect(await load('  listen: 0.0.0.0:8480\n  insecure: true\n')).toMatchObject({ address: '0.0.0.0' });
});

it.each([
  ['  listen: 0.0.0.0:8480\n', 'open to the network'],
  ['  listen: 127.0.0.1:70000\n', 'there is no port 70000'],
  ['  listen: "8480"\n', 'ADDRESS:PORT'],
])('refuses %s, with its place', async (section, told) => {
  await expect(load(section)).rejects.toMatchObject({
    code: 'InvalidConfig',
    details: { issues: [expect.objectContaining({ line: 2, message: expect.stringContaining(told) })] },
  });
});
