import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startRun, finishRun } from '../../../activities/inventory/runs.js';
import { openGateway, type Site } from './site.js';

let site: Site;
let address: string;
beforeEach(async () => {
  site = await openGateway();
  address = await site.app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => site.close());

const run = async (id: string) =>
  startRun(site.inventory, {
    id,
    runbook: 'drain-host',
    digest: '0'.repeat(64),
    source: '',
    inputs: {},
    by: 'ann',
    parent: null,
    retryOf: null,
    plan: null,
  });
const finish = (id: string) =>
  finishRun(site.inventory, { id, state: 'succeeded', steps: [], undone: [], outputs: {}, error: null });

class Stream {
  text = '';
  private constructor(private readonly stop: AbortController) {}
  static async open(query = '', headers: Record<string, string> = {}): Promise<Stream> {
    const stop = new AbortController();
    const stream = new Stream(stop);
    const authorization = `Bearer ${site.secrets.viewer}`;
    const response = await fetch(`${address}/api/v1/events${query}`, {
      headers: { authorization, ...headers },
      signal: stop.signal,
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    void (async () => {
      for await (const chunk of response.body ?? [])
        stream.text += Buffer.from(chunk as Uint8Array).toString();
    })().catch(() => undefined);
    return stream;
  }
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (let times = 0; times < 400; times += 1) {
      const found = pattern.exec(this.text);
      if (found) return found;
      await sleep(50);
    }
    throw new Error(`never ${pattern}: ${this.text}`);
  }
  end = (): void => this.stop.abort();
}

it('tells what begins and ends, to each what it asked for, and what somebody missed', async () => {
  const all = await Stream.open();
  const other = await Stream.open('?types=incident,operation');
  // The first look is what there is: nothing of it is news.
  await sleep(1200);
  await run('r1');
  const [, id] = await all.until(
    /id: (\d+)\nevent: run\ndata: \{[^\n]*"id":"r1","state":"running","subject":"drain-host"/,
  );
  all.end();
  await finish('r1');
  await sleep(2500);
  const back = await Stream.open('', { 'last-event-id': id ?? '' });
  await back.until(/"id":"r1","state":"succeeded"/);
  expect(back.text).not.toContain('reset');
  const stranger = await Stream.open('', { 'last-event-id': '1' });
  await stranger.until(/event: reset/);
  expect(other.text).not.toContain('event: run');
  for (const stream of [other, back, stranger]) stream.end();
});

it('refuses what it does not know, and streams do not keep the gateway from ending', async () => {
  const answer = await site.ask('GET', '/api/v1/events?types=odd');
  expect([answer.statusCode, answer.json()]).toMatchObject([400, { code: 'InvalidInput' }]);
  const stream = await Stream.open();
  await stream.until(/retry: 3000/);
  await site.app.close();
});
