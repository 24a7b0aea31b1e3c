/** What is recorded: `<workflow type>.<ending>`, each a workflow of a small cloud of its own. */
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { setLock } from '../../activities/inventory/instances.js';
import { serialLogOf } from '../../activities/simulator/define.js';
import { localDirectory } from '../../activities/simulator/hosts.js';
import { workPlace } from '../../model/addresses.js';
import type { HostRef } from '../../model/host.js';
import { runbookSchema } from '../../model/runbook.js';
import type { RunOrder } from '../../workflows/run-state.js';
import type { SimulatedCloud } from '../temporal/simulated.js';
import { begin, beginOther } from '../temporal/site.js';
import { until } from '../temporal/helpers.js';
import { fault, slowLink } from '../unit/workflows/cloud.js';
import { alertScenarios } from './alert-scenarios.js';
import { auditScenarios } from './audit-scenarios.js';
import { evacuateScenarios } from './evacuate-scenarios.js';
import { moveScenarios } from './move-scenarios.js';
import { recoverScenarios } from './recover-scenarios.js';
import { readmitScenarios } from './readmit-scenarios.js';
import { resizeScenarios } from './resize-scenarios.js';
import { runScenarios } from './run-scenarios.js';
import { scheduleScenarios } from './schedule-scenarios.js';
import { arrive, ending, migrating, on, refuse, type Scenario, type Stage } from './stage.js';

const launch =
  (end: string, fail?: (cloud: SimulatedCloud) => Promise<void>): Scenario =>
  async (stage) => {
    await fail?.(stage.cloud);
    const image = { image: '/images/small.qcow2', directory: localDirectory };
    const input = { instance: randomUUID(), name: 'web-1', vcpus: 1, memory_mib: 1024, ...image };
    return ending(await begin(stage.site, 'instance.launch', input), end);
  };

const local = { local: true };

/** A guest that is to be brought back after a crash, and its process dies. */
const crashed =
  (then: (stage: Stage, instance: string) => Promise<WorkflowHandle>): Scenario =>
  async (stage) => {
    const { site, cloud } = stage;
    const instance = await cloud.adopt('web-1');
    await ending(await begin(site, 'instance.set-policy', { instance, restart: 'on-crash' }), 'done');
    await fault(cloud, { do: 'guest-crash', guests: ['web-1'] });
    return then(stage, instance);
  };

const drain = {
  name: 'drain',
  description: 'Empty a host.',
  inputs: { host: { type: 'host' }, parallel: { type: 'integer', default: 2 } },
  steps: [
    {
      id: 'disable',
      name: 'Close ${{ inputs.host }}',
      uses: 'host.disable',
      with: { host: '${{ inputs.host }}', reason: 'draining' },
      undo: {
        uses: 'host.enable',
        with: { host: '${{ inputs.host }}' },
        if: 'steps.disable.result.was.enabled',
      },
    },
    { id: 'never', uses: 'instance.stop', if: 'inputs.parallel > 100', with: { instance: 'web-1' } },
    {
      id: 'move',
      uses: 'instance.live-migrate',
      'for-each': { query: 'instances', with: { host: '${{ inputs.host }}' } },
      'max-parallel': '${{ inputs.parallel }}',
      with: { instance: '${{ item.id }}', wait: '30s' },
    },
  ],
  outputs: { moved: '${{ steps.move.done }}' },
};

const run =
  (
    end: string,
    play: (stage: Stage, handle: WorkflowHandle) => Promise<unknown>,
    setUp?: (stage: Stage) => Promise<void>,
  ): Scenario =>
  async (stage) => {
    for (const name of ['web-1', 'web-2', 'web-3']) await stage.cloud.adopt(name);
    await setUp?.(stage);
    const id = randomUUID();
    const runbook = runbookSchema.parse(drain);
    const order: RunOrder = {
      id,
      by: 'test',
      role: 'operator',
      // These runs began with the first language; those of the second are in run-scenarios.ts.
      plan: { language: 1, name: 'drain', digest: '0'.repeat(64), source: '', runbook },
      inputs: { host: 'h1', parallel: 2 },
    };
    const handle = await beginOther(stage.site, 'run-runbook', `run/${id}`, order);
    await play(stage, handle);
    return ending(handle, end);
  };

export const scenarios: Record<string, Scenario> = {
  ...runScenarios,
  ...scheduleScenarios,
  'host.disable.succeeded': async ({ site }) =>
    ending(await begin(site, 'host.disable', { host: 'h1', reason: 'test' }), 'done'),
  'host.enable.succeeded': async ({ site }) =>
    ending(await begin(site, 'host.enable', { host: 'h1' }), 'done'),
  'host.set.succeeded': async ({ site }) =>
    ending(await begin(site, 'host.set', { host: 'h1', zone: 'east', label: { disk: 'ssd' } }), 'done'),
  'host.disable.failed': async ({ site }) =>
    ending(await begin(site, 'host.disable', { host: 'h9', reason: 'test' }), 'NotFound'),
  'host.maintenance.succeeded': async ({ site }) =>
    ending(await begin(site, 'host.maintenance', { host: 'h1', for: '2h', reason: 'test' }), 'done'),
  'host.end-maintenance.succeeded': async ({ site }) =>
    ending(await begin(site, 'host.end-maintenance', { host: 'h1' }), 'done'),
  'host.reboot.succeeded': async ({ site }) => {
    await ending(await begin(site, 'host.disable', { host: 'h1', reason: 'test' }), 'done');
    return ending(await begin(site, 'host.reboot', { host: 'h1' }), 'done');
  },
  'host.reboot.refused': async ({ site }) =>
    ending(await begin(site, 'host.reboot', { host: 'h1' }), 'WrongState'),
  'host.reboot.failed': async ({ site, cloud }) => {
    await refuse(cloud, ['rebootHost']);
    await ending(await begin(site, 'host.disable', { host: 'h1', reason: 'test' }), 'done');
    return ending(await begin(site, 'host.reboot', { host: 'h1' }), 'DiskError');
  },

  'instance.launch.succeeded': launch('done'),
  'instance.launch.next-host': launch('done', (cloud) => refuse(cloud, ['define'], 1)),
  'instance.launch.failed': launch('HypervisorError', (cloud) => refuse(cloud, ['start'])),
  'instance.start.succeeded': on('instance.start', { state: 'stopped' }),
  'instance.stop.succeeded': on('instance.stop'),
  'instance.stop.refused': on('instance.stop', { state: 'stopped' }, {}, { end: 'WrongState' }),
  'instance.reboot.succeeded': on('instance.reboot'),
  'instance.pause.succeeded': on('instance.pause'),
  'instance.pause.failed': on('instance.pause', {}, {}, { end: 'HypervisorError', fails: ['pause'] }),
  'instance.unpause.succeeded': on('instance.unpause', { state: 'paused' }),
  'instance.suspend.succeeded': on('instance.suspend'),
  'instance.suspend.failed': on('instance.suspend', {}, {}, { end: 'HypervisorError', fails: ['save'] }),
  'instance.resume.succeeded': on('instance.resume', { state: 'suspended' }),
  'instance.resume.discarded': on('instance.resume', { state: 'suspended' }, { discard_memory: true }),
  'instance.resume.failed': async ({ site, cloud }) => {
    const instance = await cloud.adopt('web-1', { state: 'suspended' });
    await fault(cloud, { do: 'guest-disk-write', guests: ['web-1'] });
    return ending(await begin(site, 'instance.resume', { instance }), 'StaleSavedState');
  },
  'instance.lock.succeeded': on('instance.lock', {}, { reason: 'test' }),
  'instance.unlock.succeeded': on('instance.unlock'),
  'instance.set-policy.succeeded': on('instance.set-policy', {}, { restart: 'always', allow: ['cold'] }),
  'instance.terminate.succeeded': on('instance.terminate', local),
  'instance.terminate.cleanup-incomplete': on(
    'instance.terminate',
    local,
    {},
    { end: 'CleanupIncomplete', fails: ['removeDisk'] },
  ),
  'instance.repair.succeeded': on('instance.repair'),
  'instance.repair.crashed': crashed(async ({ site }, instance) =>
    ending(await begin(site, 'instance.repair', { instance }), 'done'),
  ),

  ...resizeScenarios,

  ...moveScenarios,
  ...evacuateScenarios,
  ...recoverScenarios,
  ...readmitScenarios,
  'janitor.restarted': crashed(async ({ site, cloud }) => {
    const janitor = await ending(await beginOther(site, 'janitor', `janitor/${randomUUID()}`), 'done');
    if ((await cloud.instance('web-1')).state !== 'active') throw new Error('it was not started again');
    return janitor;
  }),
  'janitor.succeeded': async ({ site }) =>
    ending(await beginOther(site, 'janitor', `janitor/${randomUUID()}`), 'done'),

  'fence-check.succeeded': async ({ site }) =>
    ending(await beginOther(site, 'fence-check', `fence-check/${randomUUID()}`), 'done'),

  ...alertScenarios,

  ...auditScenarios,
  'run-runbook.succeeded': run('done', async () => undefined),
  'run-runbook.failed': run(
    'RunFailed',
    async () => undefined,
    async ({ cloud }) => {
      await setLock(cloud.inventory, 'web-1', { reason: 'test', by: 'test' });
    },
  ),
  'run-runbook.cancelled': run(
    'CancelledFailure',
    async ({ cloud }, handle) => {
      await migrating(cloud, 2);
      await handle.cancel();
    },
    async ({ cloud }) => {
      await slowLink(cloud);
    },
  ),
  'run-runbook.waited-for-a-busy-one': run(
    'done',
    async ({ cloud, before }) => {
      let waits = false;
      before.set('waitForWorkflow', () => {
        waits = true;
      });
      await until('the run waits', () => waits);
      await arrive(cloud);
    },
    async ({ site, cloud }) => {
      await slowLink(cloud);
      const { id: instance } = await cloud.instance('web-1');
      await begin(site, 'instance.live-migrate', { instance });
      await migrating(cloud);
    },
  ),
  'read-serial-log.succeeded': async ({ site, cloud }) => {
    await cloud.adopt('web-1');
    const [first] = cloud.hosts as [HostRef];
    const wanted = { host: workPlace(first), path: serialLogOf('web-1'), tailBytes: 10 };
    return ending(await beginOther(site, 'read-serial-log', `serial/${randomUUID()}`, wanted), 'done');
  },
};
