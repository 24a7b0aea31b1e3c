import { defineSearchAttributeKey } from '@temporalio/common';
import { execa } from 'execa';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { searchAttributes } from '../../model/search-attributes.js';
import { connectClient, type TemporalConnection } from '../../temporal/connect.js';
import { startDevServer, type DevServer } from '../../temporal/dev-server.js';
import { ensureSearchAttributes } from '../../temporal/search-attributes.js';
import { freePort, temporalBinary, temporaryFolder } from './helpers.js';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function start(dataDir: string, ports: { port: number; uiPort: number }): Promise<DevServer> {
  const server = await startDevServer({ binary: await temporalBinary(), dataDir, ...ports });
  open.push(() => server.stop());
  return server;
}

async function connect(address: string): Promise<TemporalConnection> {
  const connected = await connectClient({ env: { HOME: temporaryFolder(), TEMPORAL_ADDRESS: address } });
  open.push(() => connected.connection.close());
  return connected;
}

test(
  'it answers, knows our search attributes, and keeps its data through a kill -9',
  { timeout: 60_000 },
  async () => {
    const dataDir = temporaryFolder();
    const ports = { port: await freePort(), uiPort: await freePort() };
    const first = await start(dataDir, ports);
    const { client } = await connect(first.address);
    const host = defineSearchAttributeKey('DroverHost', 'KEYWORD');
    await client.workflow.start('nobodyRunsIt', {
      taskQueue: 'none',
      workflowId: 'kept',
      typedSearchAttributes: [{ key: host, value: 'h1' }],
    });
    process.kill(first.id.pid, 'SIGKILL');
    expect(await first.exited).toBe('signal SIGKILL');

    const second = await start(dataDir, ports);
    const { client: after } = await connect(second.address);
    expect((await after.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING');
    const found: string[] = [];
    for await (const { workflowId } of after.workflow.list({ query: 'DroverHost = "h1"' }))
      found.push(workflowId);
    expect(found).toEqual(['kept']);
    expect((await fetch(second.uiUrl)).status).toBe(200);
  },
);

test('a database without our search attributes gets them', { timeout: 60_000 }, async () => {
  const dataDir = temporaryFolder();
  const ports = { port: await freePort(), uiPort: await freePort() };
  const plain = execa(
    await temporalBinary(),
    [
      'server',
      'start-dev',
      '--headless',
      '--port',
      String(ports.port),
      '--db-filename',
      join(dataDir, 'temporal.db'),
    ],
    { reject: false },
  );
  const address = `127.0.0.1:${ports.port}`;
  const foreign = await connectSoon(address);
  const names = Object.keys(searchAttributes);
  const result = await ensureSearchAttributes(foreign.connection, 'default');
  expect(result).toEqual({ added: names, missing: [] });
  expect(await ensureSearchAttributes(foreign.connection, 'default')).toEqual({ added: [], missing: [] });
  const refused = await ensureSearchAttributes(foreign.connection, 'no-such-namespace');
  expect(refused.missing).toEqual(names);
  expect(refused.warning).toContain('temporal operator search-attribute create');
  plain.kill('SIGTERM');
  await plain;
});

async function connectSoon(address: string): Promise<TemporalConnection> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const connected = await connect(address).catch(() => undefined);
    if (connected !== undefined) return connected;
    await delay(100);
  }
  throw new Error(`nothing at ${address}`);
}

test('a port in use is named, with the option that chooses another', async () => {
  const port = await freePort();
  const other = createServer().listen(port, '127.0.0.1');
  const options = { binary: 'not-started', dataDir: temporaryFolder() };
  await expect(startDevServer({ ...options, port, uiPort: await freePort() })).rejects.toMatchObject({
    code: 'InvalidInput',
    message: `port ${port} on 127.0.0.1 is in use`,
    hint: expect.stringMatching(/--port$/),
  });
  await expect(startDevServer({ ...options, port: await freePort(), uiPort: port })).rejects.toMatchObject({
    hint: expect.stringMatching(/--ui-port$/),
  });
  other.close();
});

test('when it ends at once, the error holds what its log said', { timeout: 20_000 }, async () => {
  const failing = startDevServer({
    binary: process.execPath,
    dataDir: temporaryFolder(),
    port: await freePort(),
    uiPort: await freePort(),
  });
  await expect(failing).rejects.toMatchObject({
    code: 'TemporalUnreachable',
    message: expect.stringMatching(/it ended at once \(exit code 1\); its log ends with: .*Node\.js v/),
  });
});

test('a namespace that is not there is told at the connection', { timeout: 30_000 }, async () => {
  const { address } = await start(temporaryFolder(), { port: await freePort(), uiPort: await freePort() });
  const env = { HOME: temporaryFolder(), TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'nowhere' };
  await expect(connectClient({ env })).rejects.toMatchObject({
    code: 'InvalidConfig',
    message: `the Temporal server at ${address} has no namespace "nowhere"`,
  });
});
