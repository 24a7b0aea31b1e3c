import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../../config/config.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-notifications-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function load(...entries: string[]) {
  const file = join(folder, 'drover.yaml');
  writeFileSync(file, `notifications:\n${entries.map((entry) => `  - { ${entry} }\n`).join('')}`);
  return (await loadConfig({ file, env: {} })).notifications;
}
const good = 'name: ops, url: https://ops.example/hook, secret: "env:OPS"';

it('names receivers, which hear of all unless they say of what', async () => {
  expect(
    await load(
      good,
      'name: local, url: "http://127.0.0.1:9", secret: "file:/s", events: [run-failed], timeout: 3s',
    ),
  ).toMatchObject([
    {
      name: 'ops',
      secret: 'env:OPS',
      timeoutMs: 10_000,
      runbooks: null,
      events: expect.arrayContaining(['incident-asks']),
    },
    { name: 'local', events: ['run-failed'], timeoutMs: 3000 },
  ]);
});

it.each([
  ['plain text over the network', ['name: a, url: "http://ops.example/", secret: "env:A"'], /plain text/],
  [
    'a password in the address',
    ['name: a, url: "https://u:p@ops.example/", secret: "env:A"'],
    /holds a password/,
  ],
  ['the secret itself', ['name: a, url: "https://ops.example/", secret: hunter2'], /never the secret itself/],
  ['two of one name', [good, good], /the name of another/],
  [
    'another event',
    ['name: a, url: "https://ops.example/", secret: "env:A", events: [run-end]'],
    /must be|did you mean|one of/,
  ],
])('refuses %s, with its place', async (_title, entries, told) => {
  await expect(load(...entries)).rejects.toMatchObject({
    code: 'InvalidConfig',
    details: {
      issues: [expect.objectContaining({ line: 1 + entries.length, message: expect.stringMatching(told) })],
    },
  });
});
