/** The same seed, the same course of events: to the byte. */
import { expect, test } from 'vitest';
import { VirtualCloud } from '../../../virtual/cloud.js';
import { mix } from './mix.js';

async function course(seed: number): Promise<string> {
  const cloud = await VirtualCloud.open({ seed, hosts: 6 });
  try {
    const instances: string[] = [];
    for (let index = 0; index < 24; index += 1) {
      instances.push(
        await cloud.adopt(`vm-${index + 1}`, {
          host: `host-${(index % 6) + 1}`,
          local: index % 4 === 3,
        }),
      );
    }
    cloud.scheduleJanitor();
    const done = await mix(cloud, instances, { seed, count: 60, lanes: 8 });
    expect(done).toBeGreaterThan(10);
    cloud.crashWorker();
    await mix(cloud, instances, { seed: seed + 1, count: 20, lanes: 8 });
    return cloud.log.text();
  } finally {
    await cloud.close();
  }
}

test('a random mix of operations runs the same way twice, and another way with another seed', async () => {
  const first = await course(7);
  expect(await course(7)).toBe(first);
  expect(await course(8)).not.toBe(first);
});
