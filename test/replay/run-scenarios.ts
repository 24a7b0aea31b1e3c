/** Runs of the second language, for their histories. Those of the first are in scenarios.ts. */
import { randomUUID } from 'node:crypto';
import type { RunProgress } from '../../model/run.js';
import { runbookSchema, type FrozenRunbook } from '../../model/runbook.js';
import { batchWorkflowId } from '../../model/addresses.js';
import type { RunOrder } from '../../workflows/run-state.js';
import { beginOther, cloudName, endOf } from '../temporal/site.js';
import { until } from '../temporal/helpers.js';
import { slowLink } from '../unit/workflows/cloud.js';
import { arrive, ending, migrating, refuse, type Scenario, type Stage } from './stage.js';
import type { WorkflowHandle } from '@temporalio/client';

const plan = (
  book: Record<string, unknown>,
  name = 'everything',
  runbooks: Record<string, FrozenRunbook> = {},
): FrozenRunbook => ({
  language: 2,
  name,
  digest: '0'.repeat(64),
  source: '',
  runbook: runbookSchema.parse({ name, description: 'For the record.', ...book }),
  runbooks,
});

const enable = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  uses: 'host.enable',
  with: { host: 'h1' },
  ...more,
});
const disable = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  uses: 'host.disable',
  with: { host: 'h1', reason: 'for the record' },
  undo: { uses: 'host.enable', with: { host: 'h1' }, if: `steps.${id}.result.was.enabled` },
  ...more,
});
const move = (more: Record<string, unknown> = {}) => ({
  id: 'move',
  uses: 'instance.live-migrate',
  'for-each': { query: 'instances', with: { host: 'h1' } },
  'max-parallel': 2,
  with: { instance: '${{ item.id }}' },
  ...more,
});
const stop = (more: Record<string, unknown> = {}) => ({
  id: 'stop',
  uses: 'instance.stop',
  with: { instance: 'web-1' },
  ...more,
});

type Play = (stage: Stage, run: WorkflowHandle, ask: Ask) => Promise<unknown>;
type Ask = (action: string, more?: Record<string, unknown>) => Promise<unknown>;

/** Ends as it must; answers the handle whose history is kept. */
const run =
  (end: string, of: FrozenRunbook, play: Play = async () => undefined): Scenario =>
  async (stage) => {
    const { site, cloud } = stage;
    for (const name of ['web-1', 'web-2', 'web-3']) await cloud.adopt(name);
    const id = randomUUID();
    const order: RunOrder = { id, by: 'anna', role: 'operator', plan: of, inputs: {} };
    const handle = await beginOther(site, 'run-runbook', `run/${id}`, order);
    const who = { by: 'ben', role: 'operator', comment: null, step: null };
    const ask: Ask = (action, more = {}) => handle.executeUpdate(action, { args: [{ ...who, ...more }] });
    await play(stage, handle, ask);
    return ending(handle, end);
  };

const waits = (handle: WorkflowHandle, step: string) =>
  until(`${step} waits`, async () => {
    const { steps } = await handle.query<RunProgress>('progress');
    return steps.some(({ id, state }) => id === step && state === 'waiting');
  });

const inner = plan(
  { steps: [disable('close'), move()], outputs: { moved: '${{ steps.move.done }}' } },
  'inner',
);
const outer = plan({ steps: [{ id: 'empty', uses: 'runbook.inner' }], concurrency: 'h1' }, 'outer', {
  inner,
});

/** So many attempts make a batch of 17. */
const inBatches = plan({
  steps: [
    {
      ...enable('open', { with: { host: "${{ item < 2 ? 'h1' : 'h9' }}" } }),
      'for-each': Array.from({ length: 20 }, (_, index) => index),
      'max-failures': '90%',
      'continue-on-error': true,
      retry: { attempts: 20, backoff: '1s' },
    },
  ],
});

export const runScenarios: Record<string, Scenario> = {
  'run-runbook.2-everything': run(
    'done',
    plan({
      concurrency: { key: 'record', wait: '1m' },
      steps: [
        { id: 'calm', wait: '1s' },
        { id: 'hosts', uses: 'query.hosts', outputs: { n: '${{ size(result) }}' } },
        {
          id: 'both',
          parallel: [disable('close'), enable('open', { with: { host: 'h2' } })],
          timeout: '5m',
          retry: { attempts: 2, backoff: '1s' },
        },
        stop({ with: { instance: 'nobody' }, 'continue-on-error': true, 'on-failure': [enable('mend')] }),
        move({ timeout: '5m' }),
      ],
      finally: [enable('end')],
      outputs: { n: '${{ steps.hosts.outputs.n }}', moved: '${{ steps.move.done }}' },
    }),
  ),
  'run-runbook.2-tried-again': async (stage) => {
    await refuse(stage.cloud, ['stamp'], 2);
    return run('done', plan({ steps: [stop({ retry: { attempts: 3, backoff: '1s' } })] }))(stage);
  },
  'run-runbook.2-approved': run(
    'done',
    plan({ steps: [move({ approve: { count: 2, message: 'Move them?' } })] }),
    async (_stage, handle, ask) => {
      await waits(handle, 'move');
      await ask('approve');
      await ask('approve', { by: 'cleo', comment: 'fine' });
    },
  ),
  'run-runbook.2-rejected': run(
    'Rejected',
    plan({ steps: [disable('close'), { id: 'gate', approve: {} }], finally: [enable('end')] }),
    async (_stage, handle, ask) => {
      await waits(handle, 'gate');
      await ask('reject', { comment: 'not today' });
    },
  ),
  'run-runbook.2-expired': run('Rejected', plan({ steps: [{ id: 'gate', approve: { within: '1s' } }] })),
  'run-runbook.2-paused': async (stage) => {
    await slowLink(stage.cloud);
    return run('done', plan({ steps: [move()] }), async ({ cloud }, _handle, ask) => {
      await migrating(cloud, 2);
      await ask('pause', { comment: 'lunch' });
      await arrive(cloud);
      await migrating(cloud, 0);
      await ask('resume');
    })(stage);
  },
  'run-runbook.2-cancelled-without-undo': async (stage) => {
    await slowLink(stage.cloud);
    return run('Cancelled', plan({ steps: [disable('close'), move()] }), async ({ cloud }, _handle, ask) => {
      await migrating(cloud, 2);
      await ask('cancel', { undo: false });
    })(stage);
  },
  'run-runbook.2-timed-out': async (stage) => {
    await slowLink(stage.cloud);
    const steps = [move({ timeout: '2s' })];
    return run('TimedOut', plan({ steps, 'on-failure': [enable('tell')] }))(stage);
  },
  'run-runbook.2-sub-runbook': run('done', outer),
  'run-runbook.2-sub-runbook-cancelled': async (stage) => {
    await slowLink(stage.cloud);
    return run('CancelledFailure', outer, async ({ cloud }, handle, ask) => {
      await migrating(cloud, 2);
      await ask('pause');
      await handle.cancel();
    })(stage);
  },
  'run-runbook.2-batches': run('done', inBatches),
  'run-batch.succeeded': async (stage) => {
    const handle = await run('done', inBatches)(stage);
    const id = handle.workflowId.split('/').at(-1) ?? '';
    const batch = stage.site.client.workflow.getHandle(batchWorkflowId(cloudName, id, 'open', 1));
    if ((await endOf(batch)) !== 'done') throw new Error('the batch failed');
    return batch;
  },
};
