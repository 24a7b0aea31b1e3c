/**
 * A list of many batches on a real Temporal: every history stays short, every payload small, and every item is a row.
 * Ten thousand items (DROVER_TEST_ITEMS=10000) take four minutes; in virtual time they are a scenario.
 */
import { randomUUID } from 'node:crypto';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { transact } from '../../activities/inventory/database.js';
import { getRun } from '../../activities/inventory/runs.js';
import { listRunItems } from '../../activities/inventory/run-items.js';
import { batchWorkflowId } from '../../model/addresses.js';
import { LANGUAGE_VERSION, runbookSchema } from '../../model/runbook.js';
import type { RunOrder } from '../../workflows/run-state.js';
import { SimulatedCloud } from './simulated.js';
import { beginOther, cloudName, endOf, openSite, type Site } from './site.js';

const items = Number(process.env['DROVER_TEST_ITEMS'] ?? 1_000);
const batches = items / 250;
const minutes = 60_000;

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.close());

/** Instances to be listed, and for each a host of its name: to open a host is the cheapest operation that there is. */
async function fill({ inventory }: SimulatedCloud): Promise<void> {
  await transact(inventory, async (trx) => {
    const host = await trx.selectFrom('hosts').selectAll().where('name', '=', 'h1').executeTakeFirstOrThrow();
    const instance = await trx.selectFrom('instances').selectAll().executeTakeFirstOrThrow();
    const names = Array.from({ length: items - 1 }, (_, index) => `n${String(index).padStart(4, '0')}`);
    await trx
      .insertInto('hosts')
      .values({ ...host, name: instance.name })
      .execute();
    for (let from = 0; from < names.length; from += 500) {
      const some = names.slice(from, from + 500);
      await trx
        .insertInto('hosts')
        .values(some.map((name) => ({ ...host, name })))
        .execute();
      const rows = some.map((name) => ({ ...instance, name, id: randomUUID() }));
      await trx.insertInto('instances').values(rows).execute();
    }
  });
}

const runbook = runbookSchema.parse({
  name: 'open-all',
  description: 'Open every host.',
  steps: [
    {
      id: 'open',
      uses: 'host.enable',
      'for-each': { query: 'instances' },
      'max-parallel': 50,
      with: { host: '${{ item.name }}' },
    },
  ],
  outputs: { opened: '${{ steps.open.done }}' },
});

test(
  `${items} items`,
  async () => {
    const cloud = await SimulatedCloud.open();
    await cloud.adopt('first');
    await fill(cloud);
    const workers = await cloud.serve(site);
    try {
      const id = randomUUID();
      const plan = {
        language: LANGUAGE_VERSION,
        name: 'open-all',
        digest: '0'.repeat(64),
        source: '',
        runbook,
      } as const;
      const order: RunOrder = { id, by: 'test', role: 'operator', plan, inputs: {} };
      const run = await beginOther(site, 'run-runbook', `run/${id}`, order);
      expect(await endOf(run)).toBe('done');
      const record = await getRun(cloud.inventory, id);
      expect(record).toMatchObject({ state: 'succeeded', outputs: { opened: items } });
      expect(record.steps[0]).toMatchObject({ done: items, total: items, failed: 0, items: [] });
      expect(await listRunItems(cloud.inventory, id, { state: 'done' })).toHaveLength(items);
      const all = Array.from({ length: batches }, (_, index) =>
        batchWorkflowId(cloudName, id, 'open', index + 1),
      );
      for (const workflowId of [run.workflowId, ...all]) {
        const { events, largest } = await historyOf(workflowId);
        expect(events, workflowId).toBeGreaterThan(20);
        expect(events, workflowId).toBeLessThan(10_000);
        expect(largest, workflowId).toBeLessThan(2_000_000);
      }
    } finally {
      await workers.stop();
      await cloud.close();
    }
  },
  10 * minutes,
);

/** How many events a history has, and the characters of the largest. */
async function historyOf(workflowId: string): Promise<{ events: number; largest: number }> {
  const history = await site.client.workflow.getHandle(workflowId).fetchHistory();
  const { events } = JSON.parse(historyToJSON(history)) as { events: unknown[] };
  return {
    events: events.length,
    largest: Math.max(...events.map((event) => JSON.stringify(event).length)),
  };
}
