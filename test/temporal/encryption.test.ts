/** What a real server keeps while drover encrypts: nothing that was said, and what was begun before goes on. */
import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { getHost } from '../../activities/inventory/hosts.js';
import { dataConverterOf, type EncryptionKey } from '../../temporal/codec.js';
import { openPorts, type Ports } from '../../worker/ports.js';
import { createControlWorker } from '../../worker/worker.js';
import { memoryFolder } from './helpers.js';
import { SimulatedCloud } from './simulated.js';
import { begin, cloudName, endOf, openSite, type Site } from './site.js';

const key = (id: string): EncryptionKey => ({ id, secret: randomBytes(32) });
const [first, second] = [key('first'), key('second')];
let site: Site;
let cloud: SimulatedCloud;
let ports: Ports;
const folder = memoryFolder();

beforeAll(async () => {
  site = await openSite();
  cloud = await SimulatedCloud.open();
  ports = openPorts({ dataDir: folder.path });
});
afterAll(async () => {
  ports.close();
  await cloud.close();
  await site.close();
  folder.remove();
});

const clientWith = (dataConverter: DataConverter | undefined): Site => ({
  ...site,
  client: new Client({ connection: site.client.connection, ...(dataConverter ? { dataConverter } : {}) }),
});
const disable = (at: Site, host: string, reason: string) =>
  begin(at, 'host.disable', { host, reason }, { id: randomUUID(), by: 'canary-person' });

async function withWorker(keys: readonly EncryptionKey[], work: (at: Site) => Promise<void>): Promise<void> {
  const dataConverter = dataConverterOf(keys);
  const at = clientWith(dataConverter);
  const worker = await createControlWorker({
    cloud: cloudName,
    inventory: cloud.inventory,
    client: at.client,
    common: { connection: site.native, namespace: 'default', ...(dataConverter ? { dataConverter } : {}) },
    ports,
    bundle: site.bundle,
  });
  await worker.runUntil(() => work(at));
}

/** All texts and bytes of what the server kept, as they are there. */
function kept(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  return Object.values(value).map(kept).join('\n');
}

const historyOf = async (workflowId: string, runId: string): Promise<string> =>
  kept(await site.client.workflow.getHandle(workflowId, runId).fetchHistory());

test('without a key it is kept as it was said; with one nothing of it is', async () => {
  for (const [keys, shown] of [
    [[], true],
    [[first], false],
  ] as const) {
    await withWorker(keys, async (at) => {
      const handle = await disable(at, 'h1', 'canary-reason');
      expect(await endOf(handle)).toBe('done');
      const { runId } = await handle.describe();
      const text = await historyOf(handle.workflowId, runId);
      expect([text.includes('canary-reason'), text.includes('canary-person')]).toEqual([shown, shown]);
      expect(text.includes('binary/encrypted')).toBe(!shown);
    });
    expect((await getHost(cloud.inventory, 'h1')).disabledReason).toBe('canary-reason');
  }
});

test('what was begun before encryption, or with an older key, goes on with the new one', async () => {
  const plain = await disable(clientWith(undefined), 'h2', 'begun in the open');
  const older = await disable(clientWith(dataConverterOf([first])), 'h3', 'begun with the first key');
  // What they answer is encrypted with the second key, which those who began them did not know.
  await withWorker([second, first], async ({ client }) => {
    for (const { workflowId } of [plain, older]) await client.workflow.getHandle(workflowId).result();
  });
  expect((await getHost(cloud.inventory, 'h2')).disabledReason).toBe('begun in the open');
  expect((await getHost(cloud.inventory, 'h3')).disabledReason).toBe('begun with the first key');
});
