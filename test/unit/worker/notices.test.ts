import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closeInventory, openInventory, type Inventory } from '../../../activities/inventory/database.js';
import { listNotices } from '../../../activities/inventory/notices.js';
import { finishRun, startRun } from '../../../activities/inventory/runs.js';
import { noticeEvents, type NoticeBody, type Receiver } from '../../../model/notice.js';
import { findNotices, sendDue, type Telling } from '../../../worker/notices.js';
import { approvalNeeded } from '../../../worker/notices-found.js';

const secret = 'canary-of-the-receiver';
let inventory: Inventory;
let server: Server;
let url: string;
let got: { headers: IncomingMessage['headers']; body: string }[];
let answer: (response: ServerResponse, request: IncomingMessage) => void;

beforeEach(async () => {
  inventory = await openInventory({ path: ':memory:' });
  got = [];
  answer = (response) => response.end();
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (data: Buffer) => (body += data.toString()));
    request.on('end', () => {
      got.push({ headers: request.headers, body });
      answer(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await closeInventory(inventory);
});

const receiver = (more: Partial<Receiver> = {}): Receiver => ({
  name: 'ops',
  url,
  secret: 'env:SECRET',
  events: noticeEvents,
  runbooks: null,
  timeoutMs: 300,
  ...more,
});
const telling = (receivers: Receiver[], env: Telling['env'] = { SECRET: secret }): Telling => ({
  client: {
    withDeadline: (_: unknown, work: () => unknown) => work(),
    workflow: { list: async function* () {} },
  } as never,
  inventory,
  cloud: 'local',
  receivers,
  uiUrl: 'http://ui',
  namespace: 'default',
  env,
});
const run = (id: string, runbook = 'drain-host') =>
  startRun(inventory, {
    id,
    runbook,
    digest: '0'.repeat(64),
    source: '',
    inputs: { password: 'canary-input' },
    by: 'ann',
    parent: null,
    retryOf: null,
    plan: null,
  });
const end = (id: string, state: 'succeeded' | 'failed' | 'cancelled') =>
  finishRun(inventory, { id, state, steps: [], undone: [], outputs: {}, error: null });
const bodies = () => got.map(({ body }) => JSON.parse(body) as NoticeBody);
const round = async (of: Telling) => {
  await findNotices(of);
  for (const each of of.receivers) await sendDue(of, each);
};

describe('what is told', () => {
  it('a run that starts and ends, once each, signed, and nothing from before the receiver', async () => {
    const of = telling([receiver()]);
    await run('old');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await round(of);
    expect(got).toEqual([]);
    await run('r1');
    await round(of);
    await round(of);
    await end('r1', 'failed');
    await round(of);
    expect(bodies().map(({ event, subject, state }) => [event, subject.id, state])).toEqual([
      ['run-started', 'r1', 'running'],
      ['run-failed', 'r1', 'failed'],
    ]);
    expect(bodies()[0]).toMatchObject({
      cloud: 'local',
      by: 'ann',
      url: 'http://ui/namespaces/default/workflows/local%2Frun%2Fr1',
      command: 'drover run show r1',
    });
    const [first] = got;
    const [, time = '', signed = ''] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(first?.headers['x-drover-signature'])) ?? [];
    expect(createHmac('sha256', secret).update(`${time}.${first?.body}`).digest('hex')).toBe(signed);
    expect(first?.headers['x-drover-delivery']).toBe(bodies()[0]?.id);
    expect(JSON.stringify([got, await listNotices(inventory, { all: true })])).not.toMatch(/canary/);
  });

  it('what happened while Temporal failed, and while nobody looked for long', async () => {
    const of = telling([receiver()]);
    await round(of);
    const broken = { withDeadline: async () => Promise.reject(new Error('Temporal is away')) } as never;
    await run('r1');
    await expect(findNotices({ ...of, client: broken })).rejects.toThrow('is away');
    await end('r1', 'failed');
    const later = { ...inventory, now: () => new Date(Date.now() + 3_600_000).toISOString() };
    await round({ ...of, inventory: later });
    expect(
      bodies()
        .map(({ event }) => event)
        .toSorted((x, y) => x.localeCompare(y)),
    ).toEqual(['run-failed', 'run-started']);
  });

  it('to each what it wants', async () => {
    const some = receiver({ name: 'some', events: ['run-done'], runbooks: ['other'] });
    const of = telling([some]);
    await round(of);
    await run('r1');
    await run('r2', 'other');
    await end('r1', 'succeeded');
    await end('r2', 'succeeded');
    await round(of);
    expect(bodies().map(({ event, subject }) => [event, subject.id])).toEqual([['run-done', 'r2']]);
  });

  it('an approval, once for each time that it is asked', () => {
    const approval = {
      state: 'waiting',
      needed: 1,
      from: ['ann'],
      until: '2026-01-01T01:00:00Z',
      message: 'Go?',
      targets: [],
      targetCount: 0,
      approvals: [],
      rejection: null,
    } as const;
    const step = { id: 'ask', name: 'Ask', state: 'waiting', approval } as never;
    expect(approvalNeeded({ id: 'r1', runbook: 'drain', by: 'bob' }, [step], 'local')).toMatchObject([
      {
        event: 'approval-needed',
        command: 'drover run approve r1 --step ask',
        occurrence: 'ask 2026-01-01T01:00:00Z',
        says: 'drain: Ask waits for approval by ann until 2026-01-01T01:00:00Z: Go?',
      },
    ]);
  });
});

describe('a receiver that', () => {
  it.each<[string, typeof answer, RegExp]>([
    ['fails', (response) => response.writeHead(500).end(), /^it answered 500$/],
    ['sends elsewhere', (response) => response.writeHead(302, { location: url }).end(), /^it answered 302$/],
    ['hangs', () => undefined, /^no answer within 0.3 s$/],
    ['hangs up', (_, request) => request.socket.destroy(), /\S/],
  ])('%s is tried again, and told', async (_title, behave, why) => {
    const of = telling([receiver()]);
    await round(of);
    answer = behave;
    await run('r1');
    await round(of);
    expect(got).toHaveLength(1);
    expect(await listNotices(inventory)).toMatchObject([
      { attempts: 1, error: expect.stringMatching(why), nextAt: expect.any(String) },
    ]);
  });

  it('never ends its answer has taken it', async () => {
    const of = telling([receiver()]);
    await round(of);
    answer = (response) => response.writeHead(200).write('…');
    await run('r1');
    await round(of);
    expect(await listNotices(inventory)).toEqual([]);
  });

  it('whose secret is not there gets nothing, and the reason names where it should be', async () => {
    const of = telling([receiver()], {});
    await round(of);
    await run('r1');
    await round(of);
    expect(got).toEqual([]);
    expect(await listNotices(inventory)).toMatchObject([
      { error: expect.stringContaining('env:SECRET is not set') },
    ]);
  });
});
