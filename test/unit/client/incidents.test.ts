import { afterEach, beforeEach, expect, it } from 'vitest';
import { getIncidentView, listIncidentViews } from '../../../client/incidents.js';
import { incidentLines } from '../../../cli/incident-text.js';
import { VirtualCloud } from '../../../virtual/cloud.js';
import { asked, crash, recover, strike } from '../workflows/recoveries.js';
import { until } from '../workflows/cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await VirtualCloud.open({ hosts: ['h1', 'h2', 'h3'] });
  cloud.recovery.settleSeconds = 1;
  await cloud.adopt('web-1', { host: 'h1' });
  await cloud.adopt('web-2', { host: 'h1' });
  await crash(cloud);
});
afterEach(() => cloud.close());

it('is found by its id, the first of its characters, and its host; anything else is told what to do', async () => {
  await recover(cloud).ending;
  const byHost = await getIncidentView(cloud.inventory, 'h1');
  expect((await getIncidentView(cloud.inventory, byHost.id)).id).toBe(byHost.id);
  expect((await getIncidentView(cloud.inventory, byHost.id.slice(0, 6))).id).toBe(byHost.id);
  await expect(getIncidentView(cloud.inventory, 'h9')).rejects.toMatchObject({
    code: 'NotFound',
    hint: 'list them with `drover incident list`',
  });
});

it('is told with its instances, its evidence and its log; JSON has the same', async () => {
  await recover(cloud).ending;
  const found = await getIncidentView(cloud.inventory, 'h1');
  expect(found).toMatchObject({
    host: 'h1',
    state: 'recovered',
    waitsFor: null,
    error: null,
    readmittedAt: null,
  });
  expect(found.log.map(({ phase }) => phase)).toContain('fenced');
  const text = Object.fromEntries(incidentLines(found));
  expect(text['off for certain']).toMatch(/h1\/1 \(bmc\) says off/);
  expect(text['instances']).toMatch(/^2 evacuated/);
  expect(text).not.toHaveProperty('answer');
  const [row] = await listIncidentViews(cloud.inventory, {});
  expect(row).toMatchObject({ counts: '2 evacuated' });
  expect(await listIncidentViews(cloud.inventory, { open: true })).toEqual([]);
});

it('while it asks, says how to answer', async () => {
  await strike(cloud, { do: 'bmc', hosts: ['h1'], state: 'dead' });
  const handle = recover(cloud);
  await asked(cloud);
  const found = await getIncidentView(cloud.inventory, 'h1');
  const text = Object.fromEntries(incidentLines(found));
  expect(text['waits for']).toMatch(/nothing proves/);
  expect(text['answer']).toContain(`drover incident approve|reject|attest ${found.id}`);
  handle.cancel();
  await handle.ending;
});

it('while it goes on, its instances are those that are back by now', async () => {
  cloud.recovery.atATime = 1;
  await strike(cloud, { do: 'slow', hosts: ['h2', 'h3'], 'call-ms': 3000 });
  const handle = recover(cloud);
  const counts = async () => (await listIncidentViews(cloud.inventory, {}))[0]?.counts;
  await until(cloud, 'one is back', async () => (await counts()) === '1 evacuated');
  expect((await getIncidentView(cloud.inventory, 'h1')).endedAt).toBeNull();
  await handle.ending;
  expect(await counts()).toBe('2 evacuated');
});
