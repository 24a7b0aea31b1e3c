/** What becomes of a run when people say no, or nobody says anything, and what a retry takes over. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { getRun, listRuns } from '../../../activities/inventory/runs.js';
import { LANGUAGE_VERSION, runbookSchema, type FrozenRunbook } from '../../../model/runbook.js';
import { VirtualCloud } from '../../../virtual/cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await VirtualCloud.open({ hosts: 2 });
});
afterEach(() => cloud.close());

const frozen = (
  name: string,
  steps: Record<string, unknown>[],
  runbooks: Record<string, FrozenRunbook> = {},
): FrozenRunbook => ({
  language: LANGUAGE_VERSION,
  name,
  digest: '0'.repeat(64),
  source: name,
  runbook: runbookSchema.parse({ name, description: 'A test.', steps }),
  runbooks,
});
const gate = { id: 'gate', approve: { message: 'now?' } };
const anna = { by: 'anna', role: 'operator', comment: null };

test('a run within a run that is rejected makes the outer one rejected', async () => {
  const run = cloud.runbook(
    frozen('outer', [{ id: 'inner', uses: 'runbook.asks' }], { asks: frozen('asks', [gate]) }),
  );
  await cloud.clock.advance(1000);
  const [inner] = await listRuns(cloud.inventory, { parent: run.id });
  const within = cloud.temporal.open.find(({ workflowId }) => workflowId.endsWith(`/${inner?.id}`));
  await cloud.clock.drive(
    within?.ask('reject', { ...anna, step: null }) ?? Promise.reject(new Error('none')),
  );
  expect(await run.ending).toMatchObject({ end: 'failed', error: { code: 'Rejected' } });
  expect(await getRun(cloud.inventory, run.id)).toMatchObject({
    state: 'rejected',
    steps: [{ id: 'inner', state: 'rejected' }],
  });
});

test('an approval that is waited for when the run is cancelled is not open any more', async () => {
  const run = cloud.runbook(frozen('asks', [gate]));
  await cloud.clock.advance(1000);
  run.cancel();
  expect(await run.ending).toMatchObject({
    error: { code: 'Cancelled', message: 'gate was cancelled while it waited for approval' },
  });
  const { steps } = await getRun(cloud.inventory, run.id);
  expect(steps).toMatchObject([{ state: 'cancelled', approval: { state: 'cancelled' } }]);
});

test('a step that a retry takes over has its name, and one that was skipped is skipped', async () => {
  const steps = [
    { id: 'first', name: 'Wait in run ${{ run.id }}', wait: '1s' },
    { id: 'never', if: 'false', wait: '1s' },
  ];
  const taken = { result: null, done: 0, failed: 0, refused: 0, total: 0 };
  const run = cloud.runbook(
    frozen('again', steps),
    {},
    {
      retry: {
        of: 'another',
        outcomes: { first: { ...taken, state: 'succeeded' }, never: { ...taken, state: 'skipped' } },
        only: {},
      },
    },
  );
  await run.ending;
  expect((await getRun(cloud.inventory, run.id)).steps).toMatchObject([
    { name: `Wait in run ${run.id}`, state: 'succeeded' },
    { state: 'skipped' },
  ]);
});
