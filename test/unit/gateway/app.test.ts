import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closeInventory, openInventory, type Inventory } from '../../../activities/inventory/database.js';
import { createToken, listTokens, revokeToken } from '../../../activities/inventory/tokens.js';
import { buildApp, type AppOptions } from '../../../gateway/app.js';
import { DroverError } from '../../../model/errors.js';

let inventory: Inventory;
let secret: string;
let app: Awaited<ReturnType<typeof buildApp>>;

const away = async (): Promise<never> => {
  throw new DroverError('TemporalUnreachable', 'Temporal at 127.0.0.1:1 does not answer');
};
async function open(options: AppOptions = {}): Promise<void> {
  app = await buildApp(
    { cloud: 'local', inventory, folders: [], uiOrigins: ['https://ui.example'], temporal: away },
    options,
  );
}
const get = async (url: string, authorization?: string) =>
  app.inject({ url, headers: authorization === undefined ? {} : { authorization } });

beforeEach(async () => {
  inventory = await openInventory({ path: ':memory:' });
  const given = { name: 'prometheus', role: 'viewer', runbooks: null, createdBy: 'ann' } as const;
  ({ secret } = await createToken(inventory, { ...given, expiresAt: null }));
  await open();
});
afterEach(async () => {
  await app.close();
  await closeInventory(inventory);
});

describe('health', () => {
  it('lives without a token, and is not ready while Temporal is away', async () => {
    expect((await get('/healthz')).json()).toEqual({ status: 'ok' });
    const ready = await get('/readyz');
    expect(ready.statusCode).toBe(503);
    expect(ready.json()).toEqual({
      status: 'not ready',
      checks: { inventory: 'ok', temporal: 'away' },
    });
  });
});

describe('tokens', () => {
  it('lets a good one in, by Bearer and by Basic, and notes its use', async () => {
    const bearer = await get('/api/v1/identity', `Bearer ${secret}`);
    expect(bearer.json()).toMatchObject({ name: 'prometheus', role: 'viewer', runbooks: null });
    const pair = Buffer.from(`alertmanager:${secret}`).toString('base64');
    expect((await get('/api/v1/identity', `Basic ${pair}`)).statusCode).toBe(200);
    expect((await listTokens(inventory))[0]?.lastUsedAt).toEqual(expect.any(String));
  });

  it.each([
    ['none', undefined],
    ['an empty one', 'Bearer '],
    ['another scheme', 'Digest abc'],
    ['nobody’s', `Bearer drover_00000000_${'a'.repeat(43)}`],
    ['one with another secret', 'other'],
    ['SQL', "Bearer drover_'or1=1--_x"],
  ])('refuses %s, and tells nothing', async (_title, given) => {
    const header = given === 'other' ? `Bearer ${secret.slice(0, -4)}AAAA` : given;
    const { statusCode, headers, body } = await get('/metrics', header);
    expect(statusCode).toBe(401);
    expect(headers['www-authenticate']).toContain('Bearer');
    expect(JSON.parse(body)).toMatchObject({ code: 'Unauthenticated', hint: expect.any(String) });
    expect(body).not.toContain('prometheus');
  });

  it('refuses one that was revoked', async () => {
    await revokeToken(inventory, 'prometheus', 'ann');
    expect((await get('/metrics', `Bearer ${secret}`)).statusCode).toBe(401);
  });
});

describe('metrics', () => {
  it('tells what the inventory holds, and how requests went', async () => {
    await get('/api/v1/identity', `Bearer ${secret}`);
    const { statusCode, body } = await get('/metrics', `Bearer ${secret}`);
    expect(statusCode).toBe(200);
    expect(body).toContain('drover_incidents_open{asks="true"} 0');
    expect(body).toContain('drover_instances_needing_repair 0');
    expect(body).toMatch(/drover_http_request_duration_seconds_count\{.*route="\/api\/v1\/identity".*\} 1/);
  });
});

describe('what is wrong', () => {
  it.each(['/api/v1/nothing', '/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/healthz/..%2f'])(
    'has nothing at %s',
    async (url) => {
      const { statusCode, body } = await get(url, `Bearer ${secret}`);
      expect(statusCode).toBe(404);
      expect(JSON.parse(body)).toMatchObject({ code: 'NotFound' });
    },
  );

  it('is told without a stack when the gateway itself fails', async () => {
    await closeInventory(inventory);
    const { statusCode, body } = await get('/metrics', `Bearer ${secret}`);
    expect(statusCode).toBeGreaterThanOrEqual(500);
    expect(body).not.toMatch(/node_modules|\s+at /);
    inventory = await openInventory({ path: ':memory:' });
  });

  it('hangs up on a client that never ends its request', async () => {
    await app.close();
    await open({ requestTimeoutMs: 200 });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const at = app.server.address();
    const socket = connect(typeof at === 'object' && at !== null ? at.port : 0, '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    const answer = await new Promise<string>((resolve) => {
      let told = '';
      socket.on('data', (data) => (told += String(data))).on('close', () => resolve(told));
    });
    expect(answer).toContain('408');
  });
});
