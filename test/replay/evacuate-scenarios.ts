/** Evacuations: done, refused, undone, and in the place of a migration that runs when its source is lost. */
import { begin } from '../temporal/site.js';
import { slowLink } from '../unit/workflows/cloud.js';
import { loseAndFence } from '../unit/workflows/evacuation.js';
import { ending, migrating, refuse, type Scenario } from './stage.js';

const evacuate =
  (end: string, how: { state?: 'stopped'; local?: true; fails?: 'start' } = {}): Scenario =>
  async ({ site, cloud }) => {
    const { state = 'active', local = false, fails } = how;
    const instance = await cloud.adopt('web-1', { state, local });
    await loseAndFence(cloud, 'h1');
    if (fails) await refuse(cloud, [fails]);
    return ending(await begin(site, 'instance.evacuate', { instance }), end);
  };

export const evacuateScenarios: Record<string, Scenario> = {
  'instance.evacuate.succeeded': evacuate('done'),
  'instance.evacuate.succeeded-stopped': evacuate('done', { state: 'stopped' }),
  'instance.evacuate.refused': evacuate('DiskNotShared', { local: true }),
  'instance.evacuate.failed': evacuate('HypervisorError', { fails: 'start' }),
  'instance.evacuate.superseding': async ({ site, cloud }) => {
    const instance = await cloud.adopt('web-1');
    await slowLink(cloud);
    await begin(site, 'instance.live-migrate', { instance, host: 'h2' });
    await migrating(cloud);
    await loseAndFence(cloud, 'h1');
    return ending(await begin(site, 'instance.evacuate', { instance }), 'done');
  },
};
