import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../config/config.js';

const folder = mkdtempSync(join(tmpdir(), 'drover-config-fencing-'));
const file = join(folder, 'drover.yaml');
const load = async (text: string) => {
  writeFileSync(file, text);
  return (await loadConfig({ file, cwd: folder, env: {} })).fencing;
};
const device = (rest: string) => `fencing:\n  hosts:\n    host1:\n      - agent: fence_redfish\n${rest}`;

test('without it no host has a fence device, and what the platform armed counts for nothing', async () => {
  expect(await load('cloud: a\n')).toEqual({ hosts: {}, checkEverySeconds: 600, countSelfFence: false });
});

test('devices are tried in their order, a level each unless it is said; paths of secrets begin at the file', async () => {
  const text = device(`        with: { ip: 10.0.0.1, ipport: 443, ssl_insecure: true }
        secrets: { password: file:bmc }
      - { agent: fence_apc, level: 2, limit: 1m, secrets: { password: env:PDU } }
      - { agent: fence_apc, level: 2, with: { plug: 4 }, trust_binding: true }
`);
  const { hosts } = await load(text);
  expect(hosts['host1']).toEqual([
    {
      level: 1,
      agent: 'fence_redfish',
      with: { ip: '10.0.0.1', ipport: '443', ssl_insecure: '1' },
      secrets: { password: `file:${join(folder, 'bmc')}` },
      uuid: null,
      trustBinding: false,
      limitSeconds: 40,
    },
    {
      level: 2,
      agent: 'fence_apc',
      with: {},
      secrets: { password: 'env:PDU' },
      uuid: null,
      trustBinding: false,
      limitSeconds: 60,
    },
    {
      level: 2,
      agent: 'fence_apc',
      with: { plug: '4' },
      secrets: {},
      uuid: null,
      trustBinding: true,
      limitSeconds: 40,
    },
  ]);
});

describe('what is wrong is told with its place, and never with a secret', () => {
  test.each([
    [
      'a secret in with',
      '        with: { ip: a, password: hunter2 }\n',
      ':5:24: fencing.hosts.host1[0].with.password: must not hold a secret',
      'secrets: { password: env:NAME }',
    ],
    [
      'a secret as reference',
      '        secrets: { password: hunter2 }\n',
      'must be a reference, not the secret',
      'env:NAME or file:/path',
    ],
    ['the action', '        with: { action: reboot }\n', 'with.action: must not be set here', 'never reboot'],
    ['a log of secrets', '        with: { debug_file: /tmp/x }\n', 'must not be set here', 'leave it out'],
    ['a second line', '        with: { ip: "a\\naction=on" }\n', 'must be one line', 'a parameter a line'],
    [
      'both',
      '        with: { ip: a }\n        secrets: { ip: env:A }\n',
      'stands in `with`, too',
      'remove one',
    ],
    ['an unknown key', '        witth: {}\n', 'unknown key', 'did you mean "with"?'],
  ])('%s', async (_, rest, told, hint) => {
    const error = await load(device(rest)).catch((caught: unknown) => String(caught));
    expect(error).toContain(told);
    expect(error).toContain(hint);
    expect(error).not.toContain('hunter2');
  });

  test('what is no fence agent', async () => {
    await expect(load('fencing: { hosts: { h: [{ agent: /bin/sh }] } }\n')).rejects.toThrow(
      'must be the name of a fence agent',
    );
  });
});
