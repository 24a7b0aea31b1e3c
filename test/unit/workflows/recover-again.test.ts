/** A recovery that somebody ends from outside, and one that is cancelled in order: what the janitor makes of them. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { VirtualCloud } from '../../../virtual/cloud.js';
import { boots, until } from './cloud.js';
import { asked, crash, incidentOf, logOf, recover, strike } from './recoveries.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await VirtualCloud.open({ hosts: ['h1', 'h2', 'h3'] });
  cloud.recovery.settleSeconds = 5;
});
afterEach(() => cloud.close());

test('the janitor begins it again, in the name of who asked; one that is ended again and again waits for a person', async () => {
  const web = await cloud.adopt('web-1', { host: 'h1' });
  await strike(cloud, { do: 'slow', hosts: ['h2', 'h3'], 'call-ms': 3000 });
  await crash(cloud);
  recover(cloud, { by: 'bob' });
  const running = () => cloud.temporal.newest('virtual/recovery/h1');
  for (let ended = 1; ended <= 4; ended += 1) {
    await cloud.clock.advance(2000);
    running()?.terminate();
    expect(await cloud.janitor().ending).toMatchObject({ end: 'done' });
    await cloud.clock.advance(1000);
    expect(running()?.open).toBe(ended < 4);
  }
  expect((await incidentOf(cloud)).waitsFor).toContain('ended from outside 4 times within an hour');
  expect((await logOf(cloud)).filter((line) => line.startsWith('left: '))).toHaveLength(1);
  await cloud.clock.advance(3_600_000);
  await cloud.janitor().ending;
  await until(cloud, 'it is recovered', async () => (await incidentOf(cloud)).state === 'recovered');
  expect((await logOf(cloud)).filter((line) => line.startsWith('opened: bob asks'))).toHaveLength(5);
  expect(await boots(cloud, web)).toBe(1);
});

test('one that was cancelled in order is left alone', async () => {
  await cloud.adopt('web-1', { host: 'h1' });
  await crash(cloud);
  await strike(cloud, { do: 'bmc', hosts: ['h1'], state: 'dead' });
  const handle = recover(cloud);
  await asked(cloud);
  handle.cancel();
  await handle.ending;
  const before = (await logOf(cloud)).length;
  await cloud.janitor().ending;
  await cloud.clock.advance(5000);
  expect((await logOf(cloud)).length).toBe(before);
});
