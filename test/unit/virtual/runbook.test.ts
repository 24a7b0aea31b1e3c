/** Runs of runbooks in virtual time: what they answer, and what people ask of them while they run. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { getRun } from '../../../activities/inventory/runs.js';
import { LANGUAGE_VERSION, runbookSchema, type FrozenRunbook } from '../../../model/runbook.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { openCloud } from '../workflows/cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const frozen = (steps: Record<string, unknown>[]): FrozenRunbook => ({
  language: LANGUAGE_VERSION,
  name: 'test',
  digest: '0'.repeat(64),
  source: 'test',
  runbook: runbookSchema.parse({ name: 'test', description: 'A test.', steps }),
});
const drain = {
  id: 'move',
  uses: 'instance.live-migrate',
  'for-each': { query: 'instances', with: { host: 'h1' } },
  with: { instance: '${{ item.id }}', wait: '30s' },
  'max-parallel': 2,
};

test('a host is drained', async () => {
  for (const name of ['web-1', 'web-2', 'web-3']) await cloud.adopt(name);
  const run = cloud.runbook(frozen([drain]));
  expect(await run.ending).toMatchObject({ end: 'done' });
  expect((await getRun(cloud.inventory, run.id)).steps).toMatchObject([{ done: 3, total: 3 }]);
  expect(cloud.log.lines(['starts', 'ends'])).toHaveLength(8);
});

test('a wait is waited for; a cancel by somebody ends it, and is a row', async () => {
  const run = cloud.runbook(frozen([{ id: 'rest', wait: '2h' }, drain]));
  await cloud.clock.advance(60_000);
  expect(run.progress()).toMatchObject({ steps: [{ id: 'rest', state: 'running' }, { state: 'pending' }] });
  await run.update('cancel', { by: 'anna', role: 'operator', comment: null, undo: true });
  expect(await run.ending).toMatchObject({ end: 'failed', error: { code: 'Cancelled' } });
  expect(await getRun(cloud.inventory, run.id)).toMatchObject({ state: 'cancelled' });
});
