/**
 * Whatever the description of the API allows, and what it does not, is sent by schemathesis: the gateway never fails, and
 * answers what it describes. On a simulated datacenter: what happens to it does not matter.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../activities/inventory/tokens.js';
import { buildApp } from '../../gateway/app.js';
import { defaultRecoveryRules } from '../../model/recovery.js';
import { memoryFolder } from './helpers.js';
import { SimulatedCloud } from './simulated.js';
import { cloudName, openSite, type Site } from './site.js';

const folder = join(import.meta.dirname, 'fuzz');
const seconds = 45;

let site: Site;
let cloud: SimulatedCloud;
let workers: Awaited<ReturnType<SimulatedCloud['serve']>>;
let app: Awaited<ReturnType<typeof buildApp>>;
let fuzzer: string;
/** It leaves a folder where it is run. */
const tmp = memoryFolder();

beforeAll(async () => {
  fuzzer = install();
  site = await openSite();
  cloud = await SimulatedCloud.open();
  await cloud.adopt('web-1');
  workers = await cloud.serve(site, undefined, {
    ...defaultRecoveryRules,
    settleSeconds: 0,
    confirmSeconds: 5,
  });
  const { client } = site;
  const { inventory } = cloud;
  const temporal = async () => ({ client, connection: client.connection, namespace: 'default' }) as never;
  app = await buildApp(
    { cloud: cloudName, inventory, folders: [], uiOrigins: ['https://ui.example'], temporal },
    { limits: { perToken: 1_000_000, guessesPerAddress: 1_000_000 } },
  );
}, 300_000);
afterAll(async () => {
  await app.close();
  await workers.stop();
  await cloud.close();
  await site.close();
  tmp.remove();
});

/** Into a folder of its own, once: it is no package of Debian. */
function install(): string {
  const requirements = join(folder, 'requirements.txt');
  const venv = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'drover', 'schemathesis');
  mkdirSync(venv, { recursive: true });
  if (!existsSync(join(venv, 'bin/pip'))) execFileSync('python3', ['-m', 'venv', venv]);
  execFileSync(join(venv, 'bin/pip'), [
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-r',
    requirements,
  ]);
  return join(venv, 'bin/schemathesis');
}

test(
  'no request makes it fail, and its answers are those that it describes',
  { timeout: 400_000 },
  async () => {
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const given = {
      name: 'fuzzer',
      role: 'admin',
      runbooks: null,
      createdBy: 'test',
      expiresAt: null,
    } as const;
    const { secret } = await createToken(cloud.inventory, given);
    const checks =
      'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance';
    const { exitCode, all } = await execa(
      fuzzer,
      [
        '--config-file',
        join(folder, 'schemathesis.toml'),
        'run',
        `${address}/openapi.json`,
        '--phases',
        'coverage,fuzzing',
        '--checks',
        checks,
        '--max-time',
        String(seconds),
        // A stream never ends; a recovery of a host that lives is waited for by nobody.
        '--exclude-path',
        '/api/v1/events',
        '--seed',
        '1',
        '--workers',
        '2',
        '--continue-on-failure',
      ],
      {
        env: { DROVER_TOKEN: secret },
        all: true,
        reject: false,
        cwd: tmp.path,
        timeout: 300_000,
        stdin: 'ignore',
      },
    );
    const cases = Number(/(\d+) generated/.exec(all)?.[1] ?? 0);
    console.log(all.slice(all.indexOf('= SUMMARY =')));
    expect(exitCode, all.slice(0, 20_000)).toBe(0);
    expect(cases).toBeGreaterThan(500);
  },
);
