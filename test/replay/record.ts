/**
 * Records histories on a real Temporal server, for the replay tests:
 *
 *   DROVER_TEMPORAL_BIN=… npm run histories
 *
 * It writes the ones that are missing to test/replay/histories (or DROVER_HISTORIES) and never touches one that
 * is there: a history stands for workflows that run somewhere with the code of that day. For a new one, add a
 * scenario to scenarios.ts; for a changed workflow see CONTRIBUTING.md.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SimulatedCloud } from '../temporal/simulated.js';
import { openSite, type Site } from '../temporal/site.js';
import { scenarios } from './scenarios.js';

const folder = resolve(process.env['DROVER_HISTORIES'] ?? join(import.meta.dirname, 'histories'));
let site: Site;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  site = await openSite();
});
afterAll(() => site.close());

test.each(Object.entries(scenarios))('%s', async (name, scenario) => {
  const file = join(folder, `${name}.json`);
  if (existsSync(file)) return;
  const cloud = await SimulatedCloud.open();
  const before = new Map<string, () => unknown>();
  const workers = await cloud.serve(site, async (activity, work) => {
    await before.get(activity)?.();
    return work();
  });
  try {
    const handle = await scenario({ site, cloud, before });
    // `wx`: not even a second recorder at the same time may overwrite.
    writeFileSync(file, await stored(handle), { flag: 'wx' });
    expect(existsSync(file)).toBe(true);
  } finally {
    await workers.stop();
    await cloud.close();
  }
});

/** As Temporal's own tools write it, an event a line, without the stack traces: they name folders of this machine. */
async function stored(handle: WorkflowHandle): Promise<string> {
  const { events } = JSON.parse(historyToJSON(await handle.fetchHistory()), (key, value: unknown) =>
    key === 'stackTrace' ? undefined : value,
  ) as { events: unknown[] };
  return `{"events": [\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]}\n`;
}
