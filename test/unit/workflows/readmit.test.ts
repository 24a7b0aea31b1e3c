import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { transact } from '../../../activities/inventory/database.js';
import { getHost } from '../../../activities/inventory/hosts.js';
import { getOperation } from '../../../activities/inventory/records.js';
import { createSimulatedHypervisor } from '../../../activities/simulator/hypervisor.js';
import { DroverError } from '../../../model/errors.js';
import { refOf, type Asking, type VirtualCloud } from '../../../virtual/cloud.js';
import type { Handle } from '../../../virtual/handle.js';
import type { Trouble } from '../../../virtual/trouble.js';
import { alive, no, openCloud } from './cloud.js';
import { autostart, comeBack, guestsOf, incident, lose, placeOn } from './returned.js';

let cloud: VirtualCloud;
let web1: string;
let web2: string;
let web3: string;
beforeEach(async () => {
  cloud = await openCloud();
  web1 = await cloud.adopt('web-1');
  web2 = await cloud.adopt('web-2');
  web3 = await cloud.adopt('web-3', { local: true });
});
afterEach(() => cloud.close());

const readmit = (input: Record<string, unknown> = {}, more: Asking = {}): Handle =>
  cloud.operation('host.readmit', { host: 'h1', ...input }, more);
const failedWith = (code: string, message: string) => ({
  end: 'failed',
  error: { code, message: expect.stringContaining(message) },
});
const h1 = () => getHost(cloud.inventory, 'h1');
const log = async (): Promise<string[]> => {
  const rows = await cloud.inventory.kysely
    .selectFrom('incident_events')
    .selectAll()
    .where('incident', '=', incident)
    .orderBy('seq')
    .execute();
  return rows.map(({ phase, says }) => `${phase}: ${says}`);
};

/** web-1 and web-2 run on h2 by now; web-3 had its disk on h1 and is left there. */
async function lostAndEvacuated(more: Parameters<typeof lose>[2] = {}): Promise<void> {
  await autostart(cloud, web1);
  await autostart(cloud, web3);
  await lose(cloud, 'h1', more);
  await placeOn(cloud, web1, 'h2');
  await placeOn(cloud, web2, 'h2');
}

describe('a host that is back', () => {
  test('has its stale guests ended, removed and proven gone before it takes instances', async () => {
    await lostAndEvacuated();
    await comeBack(cloud, 'h1');
    expect(await guestsOf(cloud, 'h1')).toEqual(['web-1 running', 'web-2 shutoff', 'web-3 running']);
    const { ending, id } = readmit();
    expect(await ending).toMatchObject({
      end: 'done',
      result: { enabled: true, removed: ['web-1', 'web-2'], ended: ['web-1'], kept: ['web-3'], unknown: [] },
    });
    expect(await guestsOf(cloud, 'h1')).toEqual(['web-3 running']);
    expect(await h1()).toMatchObject({ fence: null, enabled: true, state: 'up', disabledReason: null });
    expect(await alive(cloud, web1)).toEqual(['h2']);
    // Never evacuated: it runs where the inventory has it, and the host starts it by itself no more.
    expect(await cloud.instance(web3)).toMatchObject({ state: 'active', host: 'h1', powerState: 'running' });
    expect(
      await cloud.datacenter.transact((tx) => tx.all('select id from guests where autostart = 1')),
    ).toEqual([]);
    expect(await log()).toEqual([
      'readmitting: readmission of h1, asked for by test: nothing is evacuated from it any more',
      'two-copies: web-1 was running on h1 although its instance is on h2: a second copy, ended now',
      expect.stringMatching(/^readmitted: h1 is readmitted by test; .*stale guests removed: web-1, web-2/),
    ]);
    expect(await getOperation(cloud.inventory, id)).toMatchObject({ kind: 'readmit', state: 'succeeded' });
    const closed = await cloud.inventory.kysely
      .selectFrom('incidents')
      .select('readmitted_at')
      .executeTakeFirst();
    expect(closed?.readmitted_at).not.toBeNull();
  });

  test('makes true what is said of an instance that stayed, and went off with it', async () => {
    await lose(cloud, 'h1');
    await comeBack(cloud, 'h1');
    expect(await readmit().ending).toMatchObject({ result: { kept: ['web-1', 'web-2', 'web-3'] } });
    expect(await cloud.instance(web1)).toMatchObject({ state: 'stopped', powerState: 'shutoff', host: 'h1' });
  });

  test('keeps what nobody knows, and names it; a guest of a deleted instance goes', async () => {
    const spec = { vcpus: 1, memoryMiB: 128, disks: [], bridges: [] };
    const nobody = { instance: '', operation: '', epoch: 0 };
    const other = cloud.random.uuid();
    await createSimulatedHypervisor(cloud.datacenter).define(
      refOf('h1'),
      { id: other, name: 'by-hand', ...spec },
      nobody,
    );
    await autostart(cloud, other);
    await lose(cloud, 'h1');
    await transact(cloud.inventory, (trx) =>
      trx.updateTable('instances').set({ state: 'deleted', host: null }).where('id', '=', web2).execute(),
    );
    await comeBack(cloud, 'h1');
    expect(await readmit().ending).toMatchObject({
      result: {
        removed: ['web-2'],
        unknown: ['by-hand (running): the inventory does not know it'],
        kept: ['web-1', 'web-3'],
      },
    });
    expect(await guestsOf(cloud, 'h1')).toEqual(['by-hand running', 'web-1 shutoff', 'web-3 shutoff']);
  });

  test('stays disabled if a person had disabled it before', async () => {
    await lostAndEvacuated({ disabledBy: 'bob' });
    await comeBack(cloud, 'h1');
    expect(await readmit({ move_back: true }).ending).toMatchObject({
      result: { enabled: false, note: expect.stringContaining('as bob had left it (new memory)') },
    });
    expect(await h1()).toMatchObject({ fence: null, enabled: false, disabledReason: 'new memory' });
  });

  test('releases what is held there for nothing', async () => {
    await lostAndEvacuated();
    await transact(cloud.inventory, (trx) =>
      trx
        .insertInto('allocations')
        .values({
          id: 'left',
          instance: web1,
          host: 'h1',
          operation: null,
          vcpus: 1,
          memory_mib: 1024,
          slots: 0,
        })
        .execute(),
    );
    await comeBack(cloud, 'h1');
    expect(await readmit().ending).toMatchObject({
      result: { released: ['1 vCPUs and 1024 MiB for web-1'] },
    });
    expect(await h1()).toMatchObject({ vcpusUsed: 1, memoryMiBUsed: 1024 });
  });

  test('gets back what was evacuated from it', async () => {
    await lostAndEvacuated();
    await comeBack(cloud, 'h1');
    await cloud.operation('instance.lock', { instance: web2, reason: 'mine' }, { by: 'bob' }).ending;
    expect(await readmit({ move_back: true }, { by: 'ann', role: 'operator' }).ending).toMatchObject({
      end: 'done',
      result: {
        moved: ['web-1'],
        not_moved: [expect.stringContaining('web-2: instance web-2 is locked by bob')],
      },
    });
    expect(await alive(cloud, web1)).toEqual(['h1']);
    expect(await alive(cloud, web2)).toEqual(['h2']);
  });
});

describe('it is refused', () => {
  const refused = async (what: string) => {
    const { ending, id } = readmit();
    expect(await ending).toMatchObject(failedWith('WrongState', what));
    expect(await getOperation(cloud.inventory, id)).toMatchObject({ state: 'refused' });
  };

  test('where nothing is fenced', () => refused('h1 is not fenced'));

  test('while an instance leaves it', async () => {
    await lose(cloud, 'h1');
    await transact(cloud.inventory, (trx) =>
      trx.updateTable('instances').set({ op_kind: 'evacuate', op_id: 'x' }).where('id', '=', web1).execute(),
    );
    await refused('web-1 is being evacuated from it');
  });

  test('while its recovery may begin to', async () => {
    await lose(cloud, 'h1', { state: 'evacuating', open: true });
    await refused('its recovery is evacuating');
  });

  test('by what is another machine, which is left alone', async () => {
    await lostAndEvacuated();
    await comeBack(cloud, 'h1');
    await cloud.datacenter.transact((tx) =>
      tx.run(`update hosts set system_uuid = 'other' where name = 'h1'`),
    );
    expect(await readmit().ending).toMatchObject(failedWith('HostReplaced', 'is another machine'));
    expect(await guestsOf(cloud, 'h1')).toHaveLength(3);
    expect(await h1()).toMatchObject({ fence: { state: 'held' }, enabled: false });
    await cloud.janitor().ending;
    expect(await readmit().ending).toMatchObject(failedWith('HostReplaced', 'is another machine'));
  });

  test('by a host that stays away; what it had may be evacuated still', async () => {
    await lose(cloud, 'h1');
    expect(await readmit({ wait: '30s' }).ending).toMatchObject(
      failedWith('TimedOut', 'did not answer within 30 s'),
    );
    expect(await h1()).toMatchObject({ fence: { state: 'held' } });
  });
});

test('one that waits for capacity is readmitted, and its incident ends with that', async () => {
  await lose(cloud, 'h1', { state: 'waiting', open: true });
  await comeBack(cloud, 'h1');
  expect(await readmit().ending).toMatchObject({ end: 'done' });
  const row = await cloud.inventory.kysely.selectFrom('incidents').selectAll().executeTakeFirst();
  expect(row).toMatchObject({ state: 'partly-recovered', waits_for: null });
  expect(row?.ended_at).not.toBeNull();
});

test('what can not be removed keeps the host in quarantine, and is named', async () => {
  await lostAndEvacuated();
  await comeBack(cloud, 'h1');
  const { ending } = readmit({}, { troubles: [no('removeStale')] });
  expect(await ending).toMatchObject(
    failedWith(
      'HypervisorError',
      'h1 stays quarantined, it still has: web-1 (running: it said no); web-2 (shutoff: it said no)',
    ),
  );
  expect(await guestsOf(cloud, 'h1')).toEqual(['web-1 running', 'web-2 shutoff', 'web-3 running']);
  expect(await h1()).toMatchObject({ fence: { state: 'released' }, enabled: false });
  expect(await readmit().ending).toMatchObject({ end: 'done' });
  expect(await guestsOf(cloud, 'h1')).toEqual(['web-3 running']);
});

describe('at each step', () => {
  const input = { remove_stale_disks: true };
  const ready = async () => {
    await lostAndEvacuated();
    await comeBack(cloud, 'h1');
  };
  const isBack = async () => {
    expect(await h1()).toMatchObject({ fence: null, enabled: true });
    expect(await guestsOf(cloud, 'h1')).toEqual(['web-3 running']);
    expect(await alive(cloud, web1)).toEqual(['h2']);
  };
  const isQuarantinedOrBack = async () => {
    const { fence, enabled } = await h1();
    expect(enabled).toBe(fence === null);
    if (fence === null) expect(await guestsOf(cloud, 'h1')).toEqual(['web-3 running']);
  };

  test('each activity twice', async () => {
    await ready();
    expect(await readmit(input, { twice: true }).ending).toMatchObject({ end: 'done' });
    await isBack();
  });

  const steps = Array.from({ length: 13 }, (_, at) => at + 1);
  const troubles: [string, (at: number) => Trouble][] = [
    ['cancelled', (at) => ({ at, cancel: true })],
    ['terminated', (at) => ({ at, terminate: true })],
    ['worker killed', (at) => ({ at, crash: true })],
    ['failed', (at) => ({ at, fail: { error: new DroverError('Internal', 'broken') } })],
  ];
  test.each(troubles.flatMap(([what, trouble]) => steps.map((at) => [what, at, trouble] as const)))(
    '%s at step %i: it is quarantined, or clean and back; asked again it is back',
    async (_what, at, trouble) => {
      await ready();
      await readmit(input, { troubles: [trouble(at)] }).ending;
      await isQuarantinedOrBack();
      if ((await h1()).fence !== null) expect(await readmit(input).ending).toMatchObject({ end: 'done' });
      await cloud.settle();
      await isBack();
    },
  );

  test.each(steps)('reset after step %i: it is back, and done once', async (at) => {
    await ready();
    const handle = readmit(input, { troubles: [{ at, when: 'after', terminate: true }] });
    await handle.ending;
    expect(await handle.reset({}).ending).toMatchObject({ end: 'done' });
    await isBack();
  });
});
