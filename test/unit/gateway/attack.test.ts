/** What somebody tries who means no good: each is refused, leaves its trace where it asked for a change, and changes nothing. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { revokeToken } from '../../../activities/inventory/tokens.js';
import { transact } from '../../../activities/inventory/database.js';
import { listTrail } from '../../../activities/inventory/trail.js';
import { openGateway, web, type Site } from './site.js';

interface Route {
  method: 'GET' | 'POST';
  url: string;
  body: unknown;
}

let site: Site;
let address: URL;
let routes: Route[];
beforeAll(async () => {
  site = await openGateway({
    requestTimeoutMs: 1500,
    limits: { perToken: 5000, guessesPerAddress: 100_000 },
  });
  address = new URL(await site.app.listen({ host: '127.0.0.1', port: 0 }));
  routes = await described();
});
afterAll(() => site.close());

interface Schema {
  type?: string;
  required?: string[];
  properties?: Record<string, Schema>;
  enum?: unknown[];
  anyOf?: Schema[];
}

/** Something that the schema takes. */
function some(schema: Schema): unknown {
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return some(schema.anyOf[0] ?? {});
  if (schema.type === 'object')
    return Object.fromEntries(
      (schema.required ?? []).map((key) => [key, some(schema.properties?.[key] ?? {})]),
    );
  if (schema.type === 'integer' || schema.type === 'number') return 1;
  if (schema.type === 'boolean') return false;
  return schema.type === 'array' ? [] : 'h2';
}

/** All that the gateway describes, with names of what there is. */
async function described(): Promise<Route[]> {
  const { paths } = (await site.app.inject('/openapi.json')).json<{
    paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: Schema }> } }>>;
  }>();
  const names: Record<string, string> = {
    host: 'h1',
    instance: web,
    name: 'drain-host',
    run: web,
    incident: 'h1',
    operation: web,
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => ({
      method: method.toUpperCase() as Route['method'],
      url: path.replaceAll(/\{(\w+)\}/g, (_, key: string) => names[key] ?? 'x'),
      body:
        requestBody === undefined ? undefined : some(requestBody.content['application/json']?.schema ?? {}),
    })),
  );
}

/** The whole inventory but what is noted of requests. */
async function world(): Promise<string> {
  const tables = [
    'hosts',
    'instances',
    'operations',
    'runs',
    'incidents',
    'recovery_switches',
    'allocations',
  ] as const;
  return transact(site.inventory, async (trx) => {
    const rows = await Promise.all(tables.map((table) => trx.selectFrom(table).selectAll().execute()));
    return JSON.stringify(rows);
  });
}

describe('who may not', () => {
  it('nothing but health, readiness and the description is open', async () => {
    expect(routes.length).toBeGreaterThan(55);
    for (const { method, url } of [...routes, { method: 'GET' as const, url: '/metrics' }]) {
      const answer = await site.app.inject({ method, url });
      expect([url, answer.statusCode]).toEqual([url, 401]);
      expect(answer.body).not.toMatch(/at .*\.ts|node_modules/);
    }
    expect((await site.app.inject('/api/v1/alerts/alertmanager')).statusCode).toBe(404);
  });

  it('a viewer changes nothing, whatever route, and each try is recorded', async () => {
    const before = await world();
    const changing = routes.filter(
      ({ method, url }) => method === 'POST' && !url.endsWith('/runbook-checks'),
    );
    expect(changing.length).toBeGreaterThan(35);
    for (const { url, body } of changing) {
      const answer = await site.ask('POST', url, { body, role: 'viewer' });
      // An audit that repairs nothing only looks; what is not there is not there for anybody.
      const fine = url === '/api/v1/audits' ? [202] : [403, 404, 400];
      expect([url, fine.includes(answer.statusCode), answer.statusCode]).toEqual([
        url,
        true,
        answer.statusCode,
      ]);
    }
    expect(await world()).toBe(before);
    expect(site.begun.filter(({ type }) => type !== 'audit')).toEqual([]);
    const refused = (await listTrail(site.inventory, { limit: 500 })).filter(({ by }) => by === 'viewer');
    expect(refused.filter(({ outcome }) => outcome === 'PermissionDenied').length).toBeGreaterThan(25);
  });

  it.each(['approve', 'reject', 'attest', 'cancel'])(
    'automation does not %s for a person',
    async (action) => {
      const answer = await site.ask('POST', `/api/v1/incidents/h1/${action}`, {
        role: 'automation',
        body: {},
      });
      expect([403, 404]).toContain(answer.statusCode);
    },
  );

  it('a token that was revoked or has expired is nobody', async () => {
    await revokeToken(site.inventory, 'operator', 'ann');
    expect((await site.ask('GET', '/api/v1/hosts', { role: 'operator' })).statusCode).toBe(401);
    await transact(site.inventory, (trx) =>
      trx
        .updateTable('tokens')
        .set({ expires_at: '2020-01-01T00:00:00.000Z' })
        .where('name', '=', 'automation')
        .execute(),
    );
    const answer = await site.ask('GET', '/api/v1/hosts', { role: 'automation' });
    expect([answer.statusCode, answer.json()]).toMatchObject([401, { code: 'Unauthenticated' }]);
  });
});

/** One request as it is written, for what no client would send. */
const raw = (text: string | Buffer, patienceMs = 8000): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(address.port), address.hostname);
    let got = '';
    const late = setTimeout(() => socket.destroy(new Error('the gateway waits for ever')), patienceMs);
    socket.on('data', (data: Buffer) => (got += data.toString()));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(got) : reject(error),
    );
    socket.on('close', () => {
      clearTimeout(late);
      resolve(got);
    });
    socket.write(text);
  });
const head = (more: string, path = `/api/v1/hosts/h1/operations/disable`): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${site.secrets.admin}\r\nconnection: close\r\n${more}`;
const json = 'content-type: application/json\r\n';

describe('what is no request', () => {
  it.each([
    ['a slow header', () => 'GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ', /408|^$/],
    ['a slow body', () => head(`${json}content-length: 100\r\n\r\n{"reason":`), /408|^$/],
    ['a body that is too large', () => head(`${json}content-length: 9999999\r\n\r\n{`), /413/],
    ['two lengths', () => head(`${json}content-length: 2\r\ncontent-length: 30\r\n\r\n{}`), /400/],
    [
      'length and chunks',
      () => head(`${json}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
      /400/,
    ],
    ['a header that is folded', () => head(`x-a: b\r\n c: d\r\n\r\n`), /400/],
    ['headers that are too large', () => head(`x-a: ${'b'.repeat(40_000)}\r\n\r\n`), /431/],
    ['another language', () => Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]), /400|^$/],
    [
      'a null byte in the path',
      () => head('content-length: 0\r\n\r\n', '/api/v1/hosts/%00/operations/disable'),
      /400|404/,
    ],
  ])('%s', async (_title, text, pattern) => {
    const before = await world();
    expect(await raw(text())).toMatch(pattern);
    expect(await world()).toBe(before);
  });

  const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
  it.each([
    ['no JSON', '{"reason": "x"', 'application/json', 400],
    ['deep JSON', deep, 'application/json', 400],
    ['a list', '["reason"]', 'application/json', 400],
    ['a prototype', '{"reason":"x","__proto__":{"role":"admin"}}', 'application/json', 400],
    ['a constructor', '{"reason":"x","constructor":{"prototype":{"a":1}}}', 'application/json', 400],
    ['a form', 'reason=x', 'application/x-www-form-urlencoded', 415],
    ['YAML', 'reason: x', 'application/yaml', 415],
    ['XML', '<reason>x</reason>', 'text/xml', 415],
  ])('%s as a body', async (_title, payload, type, status) => {
    const headers = { authorization: `Bearer ${site.secrets.admin}`, 'content-type': type };
    const url = '/api/v1/hosts/h1/operations/disable';
    const answer = await site.app.inject({ method: 'POST', url, payload, headers });
    expect([answer.statusCode, answer.json()]).toMatchObject([status, { code: 'InvalidInput' }]);
  });

  it.each([
    '/api/v1/runbooks/..%2f..%2fetc%2fpasswd',
    '/api/v1/runbooks/%2e%2e%2fdrover',
    '/api/v1/../../etc/passwd',
    '/api/v1//hosts',
    '/api/v1/hosts/..%5c..',
    "/api/v1/hosts/' or 1=1 --",
    '/api/v1/instances/%ff',
    `/api/v1/instances/${'a'.repeat(5000)}`,
  ])('the path %s', async (url) => {
    const answer = await site.ask('GET', url);
    expect([400, 404, 414]).toContain(answer.statusCode);
    expect(answer.body).not.toMatch(/root:|SQLITE|syntax error/i);
  });
});

describe('values that want to be more', () => {
  it.each([
    '${{ inputs.host }}',
    '${{ 1/0 }}',
    '$(reboot)',
    '`id`',
    "'; drop table hosts; --",
    '<domain/>',
    '!!js/function x',
    '\u0000',
  ])('a host called %j is none', async (value) => {
    const answer = await site.ask('POST', '/api/v1/runbooks/drain-host/runs', {
      body: { inputs: { host: value } },
    });
    expect([400, 404]).toContain(answer.statusCode);
    expect(site.begun.filter(({ type }) => type === 'run-runbook')).toEqual([]);
  });

  it('a text stays a text on its way into a run', async () => {
    const reason = '${{ inputs.host }} <x/> $(id) \n- a: b';
    const body = { inputs: { host: 'h1', reason } };
    const answer = await site.ask('POST', '/api/v1/runbooks/host-down/runs', { body });
    expect(answer.statusCode).toBe(202);
    const [begun] = site.begun.filter(({ type }) => type === 'run-runbook');
    expect(begun?.args[0]).toMatchObject({ inputs: { host: 'h1', reason } });
  });
});

it('who asks too much is told to wait; who guesses tokens, sooner', async () => {
  const small = await openGateway({ limits: { perToken: 5, guessesPerAddress: 3 } });
  try {
    const codes = [];
    for (let times = 0; times < 7; times += 1)
      codes.push((await small.ask('GET', '/api/v1/hosts')).statusCode);
    expect(codes).toEqual([200, 200, 200, 200, 200, 429, 429]);
    const last = await small.ask('GET', '/api/v1/hosts');
    expect(last.json()).toMatchObject({ code: 'TooManyRequests' });
    expect(Number(last.headers['retry-after'])).toBeGreaterThan(0);
    const guesses = [];
    for (let times = 0; times < 5; times += 1)
      guesses.push(
        (await small.app.inject({ url: '/api/v1/hosts', headers: { authorization: 'Bearer x' } })).statusCode,
      );
    expect(guesses).toEqual([401, 401, 401, 429, 429]);
    // Others, and health, are not held up by it.
    expect((await small.ask('GET', '/api/v1/hosts', { role: 'viewer' })).statusCode).toBe(200);
    expect((await small.app.inject('/healthz')).statusCode).toBe(200);
  } finally {
    await small.close();
  }
});
