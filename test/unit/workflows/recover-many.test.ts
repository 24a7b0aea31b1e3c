import { afterEach, beforeEach, expect, it } from 'vitest';
import { VirtualCloud } from '../../../virtual/cloud.js';
import { crash, incidentOf, recover } from './recoveries.js';

const instances = 1000;
/** Of Temporal, and of a history in which nothing is told together with anything else. */
const limits = { events: 51_200, of: { activity: 6, child: 9 } };

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await VirtualCloud.open({ hosts: ['h1'], log: false });
  cloud.recovery.settleSeconds = 0;
  cloud.recovery.perTarget = 100;
  for (const name of ['h2', 'h3']) await cloud.addHost(name, 'rack-1', 2, { vcpus: 600, memoryMiB: 600_000 });
  for (let index = 0; index < instances; index += 1)
    await cloud.adopt(`vm-${index}`, { host: 'h1', memoryMiB: 64 });
});
afterEach(() => cloud.close());

it(
  'brings a thousand instances back, in a history with room for four times as many',
  { timeout: 300_000 },
  async () => {
    await crash(cloud);
    const handle = recover(cloud);
    expect(await handle.ending).toMatchObject({ end: 'done', result: { state: 'recovered' } });
    const { instances: rows } = await incidentOf(cloud);
    expect(rows.filter(({ outcome }) => outcome === 'evacuated')).toHaveLength(instances);
    // The lines of its log are written together, so that its own calls are fewer than its children.
    expect(handle.calls.length).toBeLessThan(instances);
    const events = handle.calls.length * limits.of.activity + instances * limits.of.child;
    expect(events * 4).toBeLessThan(limits.events);
  },
);
