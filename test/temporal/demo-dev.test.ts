/** `drover dev` as a playground: what a new folder gets, and what a folder remembers. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withoutTemporal } from '../../temporal/child.js';
import { readDevFile } from '../../temporal/dev-file.js';
import { openCli } from '../lab/cli.js';
import { freePort, temporalBinary, temporaryFolder } from './helpers.js';

const folder = temporaryFolder();
// Hints name `npx drover` to those who typed that.
const { npm_command: _, ...env } = withoutTemporal();
const cli = openCli(folder, env);
const ports: string[] = [];

beforeAll(async () => {
  env['DROVER_TEMPORAL_BIN'] = await temporalBinary();
  ports.push('--port', String(await freePort()), '--ui-port', String(await freePort()));
});
afterAll(async () => {
  await cli.drover('dev', '--stop');
  await cli.drover('dev', '--stop', '--data', 'empty');
  rmSync(folder, { recursive: true, force: true });
});

const address = () => readDevFile(join(folder, '.drover'))?.address;

test('a new folder gets a datacenter in its cloud; both are there the next time, at the same address', async () => {
  const out = await cli.ok(
    'dev',
    '--detach',
    '--cloud',
    'acme',
    '--hosts',
    '2',
    '--instances',
    '3',
    ...ports,
  );
  expect(out).toContain('a simulated datacenter was made: 2 hosts, 3 instances (for real hosts: --hosts 0)');
  expect(out).toMatch(/^ {2}drover host drain host-1 --dry-run$/m);
  const first = address();
  expect(first).toBe(`127.0.0.1:${ports[1]}`);
  // The worker works for that cloud, and so does every command on the folder.
  await cli.ok('instance', 'stop', 'web-1', '--timeout', '60s');
  await cli.ok('dev', '--stop');

  expect(await cli.ok('dev', '--detach')).not.toContain('datacenter was made');
  expect(address()).toBe(first);
  const [web] = await cli.json<{ state: string; workflowId: string }[]>('instance', 'history', 'web-1');
  expect(web).toMatchObject({
    state: 'succeeded',
    workflowId: expect.stringMatching(/^acme\/instance\//) as string,
  });
  await cli.ok('instance', 'start', 'web-1', '--timeout', '60s');
  await cli.ok('dev', '--stop');

  const other = await cli.drover('dev', '--cloud', 'other');
  expect(other).toMatchObject({ code: 3, err: expect.stringContaining('holds the cloud acme') as string });
});

test('--hosts 0 leaves the folder to real hosts', async () => {
  const out = await cli.ok('dev', '--detach', '--data', 'empty', '--hosts', '0', ...ports);
  expect(out).toContain('next: drover --data empty host add NAME --uri URI');
  expect(await cli.json('host', 'list', '--data', 'empty')).toEqual([]);
});
