import { afterEach, beforeEach, expect, it } from 'vitest';
import { transact } from '../../../activities/inventory/database.js';
import { openGateway, web, type Site } from './site.js';

let site: Site;
beforeEach(async () => {
  site = await openGateway();
});
afterEach(() => site.close());

const url = `/api/v1/instances/${web}/operations/stop`;
const stop = (key: string, more: Parameters<Site['ask']>[2] = {}, to = url) =>
  site.ask('POST', to, { body: {}, ...more, headers: { 'idempotency-key': key } });

it('a repeat gets the answer of the first, and nothing is begun twice', async () => {
  const first = await stop('k1');
  const again = await stop('k1');
  expect([again.statusCode, again.body]).toEqual([202, first.body]);
  expect(again.headers['idempotency-replayed']).toBe('true');
  expect(again.headers['content-type']).toMatch(/application\/json/);
  expect(site.begun).toHaveLength(1);
});

it('of several at once one is worked on', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => stop('k1')));
  const codes = answers.map(({ statusCode }) => statusCode);
  expect(codes.filter((code) => code === 202).length).toBeGreaterThanOrEqual(1);
  expect(codes.every((code) => code === 202 || code === 409)).toBe(true);
  expect(site.begun).toHaveLength(1);
});

it('another request with the same key is refused; of another token it is another key', async () => {
  await stop('k1');
  expect((await stop('k1', { body: { force: true } })).json()).toMatchObject({ code: 'InvalidInput' });
  expect((await stop('k1', {}, `/api/v1/instances/${web}/operations/pause`)).json()).toMatchObject({
    code: 'KeyReused',
  });
  expect((await stop('k1', { role: 'operator' })).statusCode).toBe(202);
});

it('what failed for a while may be sent again; a refusal is the answer', async () => {
  site.away = true;
  expect((await stop('k1')).statusCode).toBe(503);
  site.away = false;
  expect((await stop('k1')).statusCode).toBe(202);
  const refused = await stop('k2', { role: 'viewer' });
  expect(refused.statusCode).toBe(403);
  expect((await stop('k2', { role: 'viewer' })).headers['idempotency-replayed']).toBe('true');
});

it('after a crash between the beginning and the answer a repeat begins the same, which Temporal knows', async () => {
  await stop('k1');
  const lost = { status: null, body: null, created_at: '2099-01-01T00:00:00.000Z' };
  const set = (values: object) =>
    transact(site.inventory, (trx) => trx.updateTable('idempotency_keys').set(values).execute());
  await set(lost);
  expect((await stop('k1')).json()).toMatchObject({ code: 'KeyBusy' });
  const longAgo = new Date(Date.now() - 200_000).toISOString();
  await set({ ...lost, created_at: longAgo });
  const ids = () => site.begun.map(({ args }) => (args[0] as { request: { id: string } }).request.id);
  expect((await stop('k1')).statusCode).toBe(202);
  expect([ids().length, new Set(ids()).size]).toEqual([2, 1]);
});

it.each(['', 'x'.repeat(201), 'a b'])('refuses the key %j', async (key) => {
  expect([(await stop(key)).statusCode, site.begun.length]).toEqual([400, 0]);
});
