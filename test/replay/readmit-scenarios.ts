/** A host that was fenced is back: readmitted with all that there is to do, refused, and still dirty; a terminate that waits. */
import { randomUUID } from 'node:crypto';
import { recordProbe } from '../../activities/inventory/hosts.js';
import { begin, beginOther } from '../temporal/site.js';
import { fault } from '../unit/workflows/cloud.js';
import { autostart, lose, placeOn } from '../unit/workflows/returned.js';
import { ending, refuse, type Scenario, type Stage } from './stage.js';

/** web-1 runs on h2 by now, and h1 starts it as well; web-2 is on h1 still; a local copy of web-3's disk is left there. */
async function comesBack({ cloud }: Stage): Promise<void> {
  const moved = await cloud.adopt('web-1');
  const copied = await cloud.adopt('web-3', { local: true });
  await cloud.adopt('web-2');
  await autostart(cloud, moved);
  await lose(cloud, 'h1');
  for (const instance of [moved, copied]) await placeOn(cloud, instance, 'h2');
  await fault(cloud, { do: 'restore', hosts: ['h1'] });
}

const readmit = { host: 'h1', remove_stale_disks: true };

export const readmitScenarios: Record<string, Scenario> = {
  'host.readmit.succeeded': async (stage) => {
    await comesBack(stage);
    return ending(await begin(stage.site, 'host.readmit', { ...readmit, move_back: true }), 'done');
  },
  'host.readmit.failed': async (stage) => {
    await comesBack(stage);
    await refuse(stage.cloud, ['undefine']);
    return ending(await begin(stage.site, 'host.readmit', readmit), 'HypervisorError');
  },
  'host.readmit.powered-on': async ({ site, cloud }) => {
    await lose(cloud, 'h1');
    return ending(await begin(site, 'host.readmit', { ...readmit, power_on: true }), 'done');
  },
  'host.readmit.refused': async ({ site }) =>
    ending(await begin(site, 'host.readmit', readmit), 'WrongState'),
  'instance.terminate.later': async ({ site, cloud }) => {
    const instance = await cloud.adopt('web-1');
    await fault(cloud, { do: 'partition', hosts: ['h1'] });
    await recordProbe(cloud.inventory, 'h1', { up: false, reason: 'no answer' });
    return ending(await begin(site, 'instance.terminate', { instance }), 'done');
  },
  'janitor.terminated': async ({ site, cloud }) => {
    const instance = await cloud.adopt('web-1');
    await recordProbe(cloud.inventory, 'h1', { up: false, reason: 'no answer' });
    await ending(await begin(site, 'instance.terminate', { instance }), 'done');
    const janitor = await ending(await beginOther(site, 'janitor', `janitor/${randomUUID()}`), 'done');
    if ((await cloud.instance(instance)).state !== 'deleted') throw new Error('it was not terminated');
    return janitor;
  },
};
