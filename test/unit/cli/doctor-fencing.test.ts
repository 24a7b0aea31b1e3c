import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordDevices } from '../../../activities/inventory/fence-checks.js';
import { listHosts } from '../../../activities/inventory/hosts.js';
import type { Context } from '../../../cli/context.js';
import { fencingChecks } from '../../../cli/doctor-fencing.js';
import { loadConfig } from '../../../config/config.js';
import { openCloud } from '../workflows/cloud.js';

const folder = mkdtempSync(join(tmpdir(), 'drover-doctor-fencing-'));
const secret = join(folder, 'secret');
writeFileSync(secret, 'hunter2');

async function told(text: string, real = false): Promise<string[]> {
  const file = join(folder, 'drover.yaml');
  writeFileSync(file, text);
  const cloud = await openCloud();
  try {
    const config = await loadConfig({ file, cwd: folder, env: {} });
    await recordDevices(cloud.inventory, 'h2', [
      {
        device: 'h2/1 (bmc)',
        level: 1,
        binding: 'other',
        bindingSays: 'it is that of h3',
        power: 'on',
        error: null,
        seconds: 0.2,
      },
    ]);
    const hosts = (await listHosts(cloud.inventory)).map((host) =>
      real ? { ...host, uri: 'qemu+tcp://h/system' } : host,
    );
    const context = { config, inventory: cloud.inventory } as unknown as Context;
    return (await fencingChecks(context, hosts)).map(({ state, message }) => `${state}: ${message}`);
  } finally {
    await cloud.close();
  }
}

const device = (rest: string) => `fencing:\n  hosts:\n    h1:\n      - agent: fence_nobody_has_it\n${rest}`;

test('a device that would not do its work is told, with when it was asked', async () => {
  expect(await told('cloud: a\n')).toEqual([
    expect.stringMatching(/^warning: h2\/1 \(bmc\) would not do its work \(asked at .*: it is that of h3$/),
  ]);
});

test('real hosts without a device, and devices of hosts that nobody knows', async () => {
  const lines = await told('fencing: { hosts: { h9: [{ agent: fence_nobody_has_it }] } }\n', true);
  expect(lines).toContainEqual(expect.stringContaining('h1, h2, h3 have no fence device'));
  expect(lines).toContainEqual(
    expect.stringContaining('fencing.hosts names h9, and the inventory has no such host'),
  );
});

test('an agent that is not installed has its place in the file', async () => {
  expect(await told(device(''))).toContainEqual(
    expect.stringMatching(
      /^warning: .*drover\.yaml:4:16: fencing\.hosts\.h1\[0\]\.agent: fence_nobody_has_it is not installed/,
    ),
  );
});

test('a secret that everybody can read, and one that nobody can; never the secret', async () => {
  chmodSync(secret, 0o644);
  const lines = await told(device('        secrets: { password: file:secret, other: env:DROVER_NOT_SET }\n'));
  expect(lines).toContainEqual(expect.stringContaining('can be read by everybody'));
  expect(lines).toContainEqual(expect.stringContaining('env:DROVER_NOT_SET is not set'));
  expect(lines.join('\n')).not.toContain('hunter2');
  chmodSync(secret, 0o600);
  expect(await told(device('        secrets: { password: file:secret }\n'))).not.toContainEqual(
    expect.stringContaining('everybody'),
  );
});
