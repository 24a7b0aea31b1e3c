/** Cold migration, resize, confirm and revert: what is recorded of them. */
import { randomUUID } from 'node:crypto';
import { createFlavor } from '../../activities/inventory/flavors.js';
import { delayedWorkflowId } from '../../model/addresses.js';
import type { SimulatedCloud } from '../temporal/simulated.js';
import { begin, cloudName } from '../temporal/site.js';
import { ending, refuse, type Scenario, type Stage } from './stage.js';

type Refused = Parameters<typeof refuse>[1];
const never = { confirm_after: 'never' };

const flavor = (cloud: SimulatedCloud, diskGiB = 0) =>
  createFlavor(cloud.inventory, { id: 'big', name: 'big', vcpus: 2, memoryMiB: 2048, diskGiB });

/** An operation on an instance that is adopted before, with a flavor `big`. */
const on =
  (
    key: string,
    input: Record<string, unknown>,
    { local = false, diskGiB = 0, end = 'done', fails = [] as Refused } = {},
  ): Scenario =>
  async ({ site, cloud }) => {
    await refuse(cloud, fails);
    await flavor(cloud, diskGiB);
    const instance = await cloud.adopt('web-1', { local });
    return ending(await begin(site, key, { instance, ...never, ...input }), end);
  };

/** What comes after a cold migration to the second host. */
const then =
  (key: string, { local = false, input = {} } = {}): Scenario =>
  async ({ site, cloud }) => {
    const instance = await migrated({ site, cloud }, local, never);
    return ending(await begin(site, key, { instance, ...input }), 'done');
  };

async function migrated(
  { site, cloud }: Pick<Stage, 'site' | 'cloud'>,
  local: boolean,
  after: Record<string, string>,
): Promise<string> {
  const instance = await cloud.adopt('web-1', { local });
  await ending(await begin(site, 'instance.migrate', { instance, host: 'h2', ...after }), 'done');
  return instance;
}

export const resizeScenarios: Record<string, Scenario> = {
  'instance.migrate.succeeded': on('instance.migrate', {}, { local: true }),
  'instance.migrate.succeeded-shared': on('instance.migrate', { confirm_after: '0s' }),
  'instance.migrate.confirms-later': on('instance.migrate', { confirm_after: '24h' }),
  'instance.migrate.failed': on(
    'instance.migrate',
    { host: 'h2' },
    { local: true, end: 'DiskError', fails: ['importDisk'] },
  ),
  'instance.migrate.next-host': async ({ site, cloud }) => {
    await refuse(cloud, ['copyDefinition'], 1);
    const instance = await cloud.adopt('web-1', { local: true });
    return ending(await begin(site, 'instance.migrate', { instance, ...never }), 'done');
  },
  'instance.resize.succeeded': on('instance.resize', { flavor: 'big' }, { diskGiB: 20 }),
  'instance.resize.elsewhere': on(
    'instance.resize',
    { flavor: 'big', host: 'h2' },
    { local: true, diskGiB: 20 },
  ),
  'instance.resize.failed': async ({ site, cloud }) => {
    await refuse(cloud, ['resizeDefinition'], 1);
    await flavor(cloud);
    const instance = await cloud.adopt('web-1');
    return ending(
      await begin(site, 'instance.resize', { instance, flavor: 'big', ...never }),
      'HypervisorError',
    );
  },
  'instance.confirm-resize.succeeded': then('instance.confirm-resize', { local: true }),
  'instance.revert-resize.succeeded': then('instance.revert-resize', { local: true }),
  'instance.revert-resize.shared': then('instance.revert-resize'),
  'instance.revert-resize.old-disk': then('instance.revert-resize', { local: true, input: { disk: 'old' } }),
  'delayed-operation.succeeded': async ({ site, cloud }) => {
    const instance = await migrated({ site, cloud }, false, { confirm_after: '1s' });
    const of = (await cloud.instance(instance)).resized?.operation ?? randomUUID();
    const handle = site.client.workflow.getHandle(delayedWorkflowId(cloudName, of));
    return ending(handle, 'done');
  },
};
