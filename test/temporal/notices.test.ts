/** A run that waits for people at a real server: receivers are told, one that hangs delays neither them nor the run. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LANGUAGE_VERSION, runbookSchema } from '../../model/runbook.js';
import { noticeEvents, type NoticeBody, type Receiver } from '../../model/notice.js';
import { tellReceivers } from '../../worker/notices.js';
import { until } from './helpers.js';
import { SimulatedCloud } from './simulated.js';
import { beginOther, cloudName, openSite, type Site } from './site.js';

let site: Site;
let cloud: SimulatedCloud;
let workers: Awaited<ReturnType<SimulatedCloud['serve']>>;
const bodies: NoticeBody[] = [];
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (data: Buffer) => (body += data.toString()));
  request.on('end', () => {
    // It never answers this one.
    if (request.url === '/hangs') return;
    bodies.push(JSON.parse(body) as NoticeBody);
    response.end();
  });
});
const ended = new AbortController();
let telling: Promise<void>;

beforeAll(async () => {
  site = await openSite();
  cloud = await SimulatedCloud.open();
  workers = await cloud.serve(site);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const receiver = (name: string): Receiver => ({
    name,
    url: `http://127.0.0.1:${port}/${name}`,
    secret: 'env:SECRET',
    events: noticeEvents,
    runbooks: null,
    timeoutMs: 60_000,
  });
  const { client } = site;
  const { inventory } = cloud;
  const of = {
    client,
    inventory,
    cloud: cloudName,
    uiUrl: undefined,
    namespace: 'default',
    env: { SECRET: 'x' },
  };
  const log = { warn: (line: string) => console.log(line) };
  telling = tellReceivers({ ...of, receivers: [receiver('hangs'), receiver('ops')] }, log, ended.signal);
});
afterAll(async () => {
  ended.abort();
  server.closeAllConnections();
  server.close();
  await telling;
  await workers.stop();
  await cloud.close();
  await site.close();
});

test('started, approval needed with its command, done', { timeout: 120_000 }, async () => {
  // From when they are known on.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const steps = [
    {
      id: 'close',
      uses: 'host.disable',
      with: { host: 'h1', reason: 'test' },
      approve: { message: 'Close it?', within: '1h' },
    },
  ];
  const runbook = runbookSchema.parse({ name: 'closing', description: 'Closes.', steps });
  const plan = { language: LANGUAGE_VERSION, name: 'closing', digest: '0'.repeat(64), source: '', runbook };
  const id = randomUUID();
  const order = { id, by: 'ann', role: 'operator', plan, inputs: {}, retry: null };
  const run = await beginOther(site, 'run-runbook', `run/${id}`, order);
  const told = (event: string) => until(event, () => bodies.find((body) => body.event === event), 60_000);
  expect(await told('approval-needed')).toMatchObject({
    subject: { type: 'run', id, name: 'closing' },
    command: `drover run approve ${id} --step close`,
    says: expect.stringContaining('Close it?'),
  });
  await run.executeUpdate('approve', { args: [{ by: 'bob', role: 'operator', step: null, comment: null }] });
  await run.result();
  expect(await told('run-done')).toMatchObject({ state: 'succeeded' });
  expect(bodies.map(({ event }) => event)).toEqual(['run-started', 'approval-needed', 'run-done']);
});
