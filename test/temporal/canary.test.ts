/**
 * Secrets are references: their values are looked for in all that drover writes or says while it works. One word that is no
 * secret is looked for as well, and must be found: a search that finds nothing proves nothing.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withoutTemporal } from '../../temporal/child.js';
import { connectClient } from '../../temporal/connect.js';
import { readDevFile } from '../../temporal/dev-file.js';
import { openCli } from '../lab/cli.js';
import { freePort, temporalBinary, temporaryFolder, until } from './helpers.js';

const folder = temporaryFolder();
const data = join(folder, '.drover');
const { npm_command: _, ...env } = withoutTemporal();
const cli = openCli(folder, env);
const canary = (of: string): string => `canary${of}${randomBytes(9).toString('hex')}`;
const secrets = { fence: canary('fence'), hook: canary('hook') };
const planted = canary('planted');

/** All that was said to whoever asked, and posted. */
const heard: string[] = [];
const commandLines = new Set<string>();
let token = '';
let gateway = '';
let sampling: NodeJS.Timeout;
const receiver = createServer((request, response) => {
  heard.push(JSON.stringify(request.headers));
  request.on('data', (part: Buffer) => heard.push(part.toString()));
  request.on('end', () => response.end());
});

beforeAll(async () => {
  env['DROVER_TEMPORAL_BIN'] = await temporalBinary();
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.address() as AddressInfo;
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), `${text}\n`, { mode: 0o600 });
    return `file:${join(folder, name)}`;
  };
  writeFileSync(
    join(folder, 'drover.yaml'),
    `fencing:
  check: never
  hosts:
    host-1:
      - agent: fence_redfish
        with: { ip: 127.0.0.1, username: admin, ssl_insecure: true }
        secrets: { password: "${file('fence.secret', secrets.fence)}" }
notifications:
  - { name: hook, url: "http://127.0.0.1:${port}/", secret: "${file('hook.secret', secrets.hook)}" }
`,
  );
  sampling = setInterval(sample, 100);
  const ports = [
    '--port',
    await freePort(),
    '--ui-port',
    await freePort(),
    '--gateway-port',
    await freePort(),
  ];
  const started = await cli.ok('dev', '--detach', '--hosts', '3', '--instances', '6', ...ports.map(String));
  heard.push(started);
  gateway = `http://127.0.0.1:${ports[5]}`;
  token = (await cli.ok('api-token', 'create', 'canary', '--role', 'admin')).trim().split('\n').at(-1) ?? '';
}, 120_000);
afterAll(async () => {
  clearInterval(sampling);
  await cli.drover('dev', '--stop');
  receiver.close();
  rmSync(folder, { recursive: true, force: true });
});

function sample(): void {
  if (!existsSync('/proc')) return;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      commandLines.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
    } catch {
      // It has ended meanwhile.
    }
  }
}

async function ask(path: string, body?: unknown, bearer = token): Promise<number> {
  const response = await fetch(`${gateway}${path}`, {
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  heard.push(JSON.stringify([...response.headers]), await response.text());
  return response.status;
}

/** Everything but the files that hold the secrets: what is on disk, what was said, and how processes were called. */
async function everything(): Promise<Record<string, string>> {
  const places: Record<string, string> = {
    heard: heard.join('\n'),
    'command lines': [...commandLines].join('\n'),
  };
  for (const name of readdirSync(data)) places[name] = readFileSync(join(data, name)).toString('latin1');
  const { client, connection } = await connectClient({ env: {}, dataDir: data });
  const histories: string[] = [];
  for await (const { workflowId, runId, memo } of client.workflow.list()) {
    histories.push(
      JSON.stringify(memo),
      kept(await client.workflow.getHandle(workflowId, runId).fetchHistory()),
    );
  }
  await connection.close();
  places['histories'] = histories.join('\n');
  return places;
}

/** All texts and bytes, as they are there. */
function kept(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  return Object.values(value).map(kept).join('\n');
}

/** Where the word is, also as it looks in base64. */
const found = (places: Record<string, string>, word: string): string[] =>
  Object.entries(places).flatMap(([place, text]) =>
    text.includes(word) || text.includes(Buffer.from(word).toString('base64').slice(0, -3)) ? [place] : [],
  );

test(
  'no secret is in a history, a log, a database, an answer, a notice or a command line',
  { timeout: 180_000 },
  async () => {
    await cli.ok('host', 'disable', 'host-2', '--reason', planted);
    expect(await ask('/api/v1/identity')).toBe(200);
    expect(await ask('/api/v1/identity', undefined, `${token.slice(0, -4)}AAAA`)).toBe(401);
    expect(await ask('/metrics')).toBe(200);
    expect(await ask(`/api/v1/hosts/host-2/operations/enable`, {})).toBe(202);
    expect(await ask('/api/v1/runbooks/drain-host/runs', { inputs: { host: 'host-3' } })).toBe(202);
    const alert = {
      status: 'firing',
      labels: { alertname: 'HostDown', host: 'host-1' },
      startsAt: '2026-01-01T00:00:00Z',
      fingerprint: 'f',
    };
    expect(await ask('/api/v1/alerts/alertmanager', { alerts: [alert] })).toBe(200);
    heard.push(await cli.ok('notification', 'test', 'hook'), await cli.ok('audit', 'trail', '-o', 'json'));
    heard.push((await cli.drover('doctor')).out);
    await until(
      'the runs have ended',
      async () =>
        (await cli.json<{ state: string }[]>('run', 'list')).every(({ state }) => state !== 'running'),
      120_000,
    );
    await until('they were told', () => heard.some((text) => text.includes('run-done')), 60_000);
    expect(readDevFile(data)?.ready).toBe(true);

    const places = await everything();
    // So the search finds what is there.
    expect(found(places, planted)).toEqual(
      expect.arrayContaining(['histories', 'command lines', 'temporal.db']),
    );
    expect(found(places, planted).some((place) => place.startsWith('inventory.db'))).toBe(true);
    expect(found({ ...places, leak: `x${secrets.hook}` }, secrets.hook)).toEqual(['leak']);
    for (const [name, secret] of Object.entries({ ...secrets, token }))
      expect([name, found(places, secret)]).toEqual([name, []]);
  },
);
