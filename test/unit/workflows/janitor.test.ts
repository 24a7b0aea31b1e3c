import { afterEach, beforeEach, expect, test } from 'vitest';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { broken } from '../../proof/invariants.js';
import { fault, migrating, migrations, openCloud, slowLink, until } from './cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const repairOf = (id: string) => cloud.temporal.newest(`virtual/instance/${id}`);

async function lost(name: string): Promise<string> {
  const instance = await cloud.adopt(name, { local: true });
  const troubles = [{ at: 'migrateGuest', when: 'within' as const, terminate: true }];
  await cloud.operation('instance.live-migrate', { instance }, { troubles }).ending;
  return instance;
}

test('settles every operation that no workflow runs, and leaves those that run alone', async () => {
  const ids = [await lost('web-1'), await lost('web-2')];
  // On h3: the lost ones hold the migration slots of h1 until they are settled.
  const busy = await cloud.adopt('web-3', { host: 'h3' });
  await slowLink(cloud, 'h3');
  const handle = cloud.operation('instance.live-migrate', { instance: busy });
  await migrating(cloud);
  expect(await cloud.janitor().ending).toMatchObject({
    end: 'done',
    result: {
      up: 3,
      unknown: [],
      repaired: [expect.stringMatching(/^web-1: .*live-migrate/), expect.stringMatching(/^web-2: /)],
      left: [],
    },
  });
  for (const id of ids) {
    expect(await cloud.instance(id)).toMatchObject({ state: 'active', host: 'h1', needsRepair: null });
    expect(await broken(cloud, id)).toEqual([]);
  }
  expect(await migrations(cloud)).toBe(1);
  expect((await cloud.instance(busy)).operation).toBe(handle.id);
  handle.cancel();
  await handle.ending;
});

test('names what it can’t settle while a host is silent, and settles it when the host is back', async () => {
  const instance = await lost('web-1');
  await fault(cloud, { do: 'hang', hosts: ['h1'] });
  const first = cloud.janitor();
  expect(await first.ending).toMatchObject({
    end: 'done',
    result: { up: 2, unknown: ['h1'], repaired: [], left: [expect.stringMatching(/^web-1: .*h1/)] },
  });
  expect(first.run.shown.at(-1)?.details).toContain('these do not: h1 (');
  const { state, needsRepair } = await cloud.instance(instance);
  expect({ state, repair: needsRepair !== null }).toEqual({ state: 'active', repair: true });

  await fault(cloud, { do: 'restore', hosts: ['h1'] });
  expect(await cloud.janitor().ending).toMatchObject({
    result: { repaired: [expect.stringContaining('web-1')], left: [] },
  });
  expect(await broken(cloud, instance)).toEqual([]);
});

test('goes on with the others when somebody terminates one of its repairs', async () => {
  const one = await lost('web-1');
  const other = await lost('web-2');
  const round = cloud.janitor();
  await until(cloud, 'a repair runs', () => repairOf(one)?.type === 'instance.repair');
  repairOf(one)?.terminate();
  expect(await round.ending).toMatchObject({
    result: { repaired: [expect.stringContaining('web-2')], left: [expect.stringContaining('terminated')] },
  });
  expect(await broken(cloud, other)).toEqual([]);
  await cloud.janitor().ending;
  expect(await broken(cloud, one)).toEqual([]);
});

test('that is cancelled ends as cancelled', async () => {
  const one = await lost('web-1');
  const round = cloud.janitor();
  await until(cloud, 'a repair runs', () => repairOf(one)?.type === 'instance.repair');
  round.cancel();
  expect(await round.ending).toMatchObject({ end: 'failed', error: { code: 'Cancelled' } });
});
