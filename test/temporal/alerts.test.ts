/** Alerts at a real server: a storm of them over two gateways is one run; while Temporal is away nothing is taken. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listIncidents } from '../../activities/inventory/incidents.js';
import { listRuns } from '../../activities/inventory/runs.js';
import { createToken } from '../../activities/inventory/tokens.js';
import { listTrail } from '../../activities/inventory/trail.js';
import { buildApp } from '../../gateway/app.js';
import type { Gateway } from '../../gateway/gateway.js';
import { DroverError } from '../../model/errors.js';
import { defaultRecoveryRules } from '../../model/recovery.js';
import { fault } from '../unit/workflows/cloud.js';
import { until } from './helpers.js';
import { SimulatedCloud } from './simulated.js';
import { cloudName, openSite, type Site } from './site.js';

let site: Site;
let cloud: SimulatedCloud;
let workers: Awaited<ReturnType<SimulatedCloud['serve']>>;
let away = false;
const apps: Awaited<ReturnType<typeof buildApp>>[] = [];
const addresses: string[] = [];
const secrets: Record<string, string> = {};

beforeAll(async () => {
  site = await openSite();
  cloud = await SimulatedCloud.open();
  const rules = { ...defaultRecoveryRules, settleSeconds: 0, confirmSeconds: 10, askEverySeconds: 1 };
  workers = await cloud.serve(site, undefined, rules);
  for (const role of ['automation', 'viewer'] as const) {
    const given = { name: role, role, runbooks: null, createdBy: 'ann', expiresAt: null };
    secrets[role] = (await createToken(cloud.inventory, given)).secret;
  }
  const { client } = site;
  const gateway: Gateway = {
    cloud: cloudName,
    inventory: cloud.inventory,
    folders: [],
    uiOrigins: ['https://ui.example'],
    async temporal() {
      if (away) throw new DroverError('TemporalUnreachable', 'Temporal does not answer');
      return { client, connection: client.connection as never, namespace: 'default' } as never;
    },
  };
  for (let count = 0; count < 2; count += 1) {
    const app = await buildApp(gateway);
    addresses.push(await app.listen({ host: '127.0.0.1', port: 0 }));
    apps.push(app);
  }
});
afterAll(async () => {
  for (const app of apps) await app.close();
  await workers.stop();
  await cloud.close();
  await site.close();
});

const alert = (host: string, more: object = {}) => ({
  status: 'firing',
  labels: { alertname: 'HostDown', host, severity: 'critical' },
  annotations: { summary: `${host} does not answer` },
  startsAt: '2026-01-01T03:00:00.123Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus:9090/graph',
  fingerprint: `print-of-${host}`,
  ...more,
});

async function post(alerts: object[], { to = 0, role = 'automation' } = {}): Promise<Response> {
  const body = { version: '4', groupKey: '{}', receiver: 'drover', status: 'firing', alerts };
  return fetch(`${addresses[to]}/api/v1/alerts/alertmanager`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secrets[role]}` },
    body: JSON.stringify(body),
  });
}
interface Told {
  alerts: { alert: string; outcome: string; says: string; workflowId: string | null }[];
}
const told = async (response: Response): Promise<string[]> =>
  ((await response.json()) as Told).alerts.map(({ alert: label, outcome }) => `${label}: ${outcome}`);
const runs = () => listRuns(cloud.inventory, { limit: 50 });

test('while Temporal is away it answers 503, so that Alertmanager repeats, and nothing is begun', async () => {
  away = true;
  const response = await post([alert('h1')]);
  away = false;
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ code: 'TemporalUnreachable' });
  expect(await runs()).toEqual([]);
});

test('1,000 of one alert over two gateways are one run and one recovery, and the guest runs elsewhere', async () => {
  const id = await cloud.adopt('web-1', { host: 'h1' });
  await fault(cloud, { do: 'crash', hosts: ['h1'] });
  const first = await post([alert('h1')]);
  expect(first.status).toBe(200);
  const { alerts } = (await first.json()) as Told;
  expect(alerts).toMatchObject([{ alert: 'HostDown h1', outcome: 'accepted' }]);
  for (let batch = 0; batch < 50; batch += 1) {
    const posts = Array.from({ length: 20 }, (_, place) => post([alert('h1')], { to: place % 2 }));
    for (const response of await Promise.all(posts)) expect(response.status).toBe(200);
  }
  await until('it runs elsewhere', async () => {
    const { host, state } = await cloud.instance(id);
    return state === 'active' && host !== 'h1';
  });
  const handle = site.client.workflow.getHandle(alerts[0]?.workflowId ?? '');
  await until('the run has ended', async () => (await runs()).every(({ state }) => state === 'succeeded'));
  expect(await runs()).toMatchObject([{ runbook: 'host-down', by: 'automation', inputs: { host: 'h1' } }]);
  expect(await listIncidents(cloud.inventory, { host: 'h1' })).toHaveLength(1);
  // It stays, and knows the alert, as long as that fires; a storm is a few words.
  expect((await handle.describe()).status.name).toBe('RUNNING');
  expect((await handle.describe()).historyLength).toBeLessThan(100);

  expect(await told(await post([alert('h1', { status: 'resolved' })]))).toEqual(['HostDown h1: resolved']);
  expect(await handle.result()).toMatchObject({
    note: expect.stringMatching(/fires any more; run .* succeeded/),
  });
  // The firing that its end has overtaken begins nothing.
  expect(await told(await post([alert('h1')]))).toEqual(['HostDown h1: late']);
  expect(await told(await post([alert('h1', { status: 'resolved' })], { to: 1 }))).toEqual([
    'HostDown h1: late',
  ]);
});

test('a group tells of each alert what came of it, and the trail has each once', async () => {
  const group = [alert('nobody'), alert('h2', { labels: { alertname: 'DiskFull' } })];
  for (let times = 0; times < 3; times += 1) {
    const response = await post(group);
    expect(response.status).toBe(200);
    const outcomes = await told(response);
    expect(outcomes[0]).toMatch(times === 0 ? /^HostDown nobody: refused/ : /refused|repeated/);
    expect(outcomes[1]).toBe('DiskFull: unmatched');
  }
  const lines = await listTrail(cloud.inventory, { limit: 50 });
  const seen = lines
    .filter(({ action }) => action === 'alert.take')
    .map(({ subject, outcome }) => `${subject}: ${outcome}`);
  expect(seen.filter((line) => line === 'HostDown nobody: NotFound')).toHaveLength(1);
  expect(seen.filter((line) => line === 'DiskFull: done')).toHaveLength(1);
  expect(lines.every(({ via }) => via === 'alert')).toBe(true);
});

test('a token that may not is refused', async () => {
  const response = await post([alert('h3')], { role: 'viewer' });
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({ code: 'PermissionDenied' });
  const metrics = await fetch(`${addresses[0]}/metrics`, {
    headers: { authorization: `Bearer ${secrets['viewer']}` },
  });
  expect(await metrics.text()).toMatch(/drover_alerts_total\{outcome="accepted"\} 1\n/);
});

test.each([
  ['no message', '{"alerts": 3}', 400],
  ['a time that is none', JSON.stringify({ alerts: [alert('h1', { startsAt: 'now' })] }), 400],
  ['no JSON', '{"alerts": [', 400],
  ['too many', JSON.stringify({ alerts: Array.from({ length: 1001 }, () => alert('h1')) }), 400],
  ['too large', JSON.stringify({ alerts: [], more: 'x'.repeat(1_100_000) }), 413],
])('refuses %s', async (_title, body, status) => {
  const response = await fetch(`${addresses[0]}/api/v1/alerts/alertmanager`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secrets['automation']}` },
    body,
  });
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ code: 'InvalidInput', message: expect.any(String) });
});
