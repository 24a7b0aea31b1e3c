/** An alert whose run succeeds, and that is resolved. */
import { listRuns } from '../../activities/inventory/runs.js';
import { runbookCatalogue } from '../../client/catalogue.js';
import { recoveryQueue } from '../../model/addresses.js';
import { loadRunbook } from '../../runbooks/language/load.js';
import type { AlertOrder, AlertWord } from '../../workflows/alert.js';
import { until } from '../temporal/helpers.js';
import { cloudName } from '../temporal/site.js';
import { fault } from '../unit/workflows/cloud.js';
import { ending, type Scenario, type Stage } from './stage.js';

const word: AlertWord = {
  fingerprint: 'a',
  status: 'firing',
  startsAt: '2026-01-01T00:00:00.000Z',
  label: 'HostDown h1',
  digest: '',
};

async function tell({ site }: Stage) {
  const plan = await loadRunbook('host-down', [], runbookCatalogue());
  const inputs = { host: 'h1', reason: 'the alert HostDown' };
  const order: AlertOrder = { by: 'alertmanager', role: 'automation', plan, inputs };
  const handle = await site.client.workflow.signalWithStart('alert', {
    workflowId: `${cloudName}/alert/host-down/1`,
    taskQueue: recoveryQueue(cloudName),
    args: [order],
    signal: 'alert',
    signalArgs: [{ ...word, digest: plan.digest }],
  });
  return {
    handle,
    resolve: () => handle.signal('alert', { ...word, status: 'resolved', digest: plan.digest }),
  };
}

const runEnded = ({ cloud }: Stage) =>
  until(
    'the run has ended',
    async () => (await listRuns(cloud.inventory, {})).some(({ state }) => state !== 'running'),
    180_000,
  );

export const alertScenarios: Record<string, Scenario> = {
  'alert.succeeded': async (stage) => {
    await stage.cloud.adopt('web-1');
    await fault(stage.cloud, { do: 'crash', hosts: ['h1'] });
    const { handle, resolve } = await tell(stage);
    await runEnded(stage);
    await resolve();
    return ending(stage.site.client.workflow.getHandle(handle.workflowId), 'done');
  },
};
