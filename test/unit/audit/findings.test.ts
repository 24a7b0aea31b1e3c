/** Each kind of mess, made by hand in a simulated datacenter: found, and nothing else; repaired, and then clean. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getAudit } from '../../../activities/audit/store.js';
import { createGroup } from '../../../activities/inventory/groups.js';
import { transact } from '../../../activities/inventory/database.js';
import { putFile } from '../../../activities/simulator/files.js';
import type { Tx } from '../../../activities/simulator/database.js';
import { localDirectory, sharedDirectory } from '../../../activities/simulator/hosts.js';
import type { AuditOptions, AuditRecord } from '../../../model/audit.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';
import { fault, loseGuest, migrating, openCloud, slowLink } from '../workflows/cloud.js';

let cloud: VirtualCloud;
beforeEach(async () => {
  cloud = await openCloud();
});
afterEach(() => cloud.close());

const world = <T>(work: (tx: Tx) => T): Promise<T> => cloud.datacenter.transact(work);

async function audit(options: Partial<AuditOptions> = {}): Promise<AuditRecord> {
  const handle = cloud.audit(options);
  expect(await handle.ending).toMatchObject({ end: 'done' });
  return getAudit(cloud.inventory, handle.id);
}

const found = async (options: Partial<AuditOptions> = {}): Promise<string[]> =>
  (await audit(options)).findings.map(({ kind, name, host }) => `${kind} ${name} ${host}`);

/** Found, repaired, clean: what was done is answered. */
async function repaired(expected: string[]): Promise<string[]> {
  expect(await found()).toEqual(expected);
  const record = await audit({ repair: true });
  expect(record.findings).toEqual([]);
  expect(await found()).toEqual([]);
  return record.repaired.map(({ what, error }) => (error === null ? what : `${what}: ${error}`));
}

const copyTo = (host: string, id: string, power = 'shutoff'): Promise<void> =>
  world((tx) =>
    tx.run(
      `insert into guests (host, id, name, power, reason, persistent, vcpus, memory_mib, disks, dirty)
         select ?, id, name, ?, 'unknown', 1, vcpus, memory_mib, disks, dirty from guests where id = ?`,
      host,
      power,
      id,
    ),
  );

test('a cloud in order: nothing is found, on whatever storage, in whatever state', async () => {
  await cloud.adopt('web-1');
  await cloud.adopt('web-2', { local: true, state: 'paused' });
  const launched = cloud.random.uuid();
  const size = { vcpus: 1, memory_mib: 1024, image: '/images/debian-12.qcow2', directory: localDirectory };
  await cloud.operation('instance.launch', { instance: launched, name: 'web-3', ...size }).ending;
  await cloud.operation('instance.live-migrate', { instance: launched }).ending;
  const record = await audit();
  expect(record).toMatchObject({
    findings: [],
    by: 'test',
    scope: { hosts: 3, instances: 3, silent: [], withoutWorker: [], skipped: [] },
  });
  expect(record.endedAt).not.toBeNull();
});

test('what is held until a resize is confirmed, and the memory of a suspended instance, are in order', async () => {
  for (const local of [false, true]) {
    const id = await cloud.adopt(`moved-${String(local)}`, { local });
    expect(await cloud.operation('instance.migrate', { instance: id }).ending).toMatchObject({ end: 'done' });
    const saved = await cloud.adopt(`saved-${String(local)}`, { local });
    expect(await cloud.operation('instance.suspend', { instance: saved }).ending).toMatchObject({
      end: 'done',
    });
  }
  expect((await cloud.instance('moved-true')).state).toBe('resized');
  expect(await found()).toEqual([]);
  for (const way of ['confirm-resize', 'revert-resize']) {
    const instance = way === 'confirm-resize' ? 'moved-true' : 'moved-false';
    const { id } = await cloud.instance(instance);
    expect(await cloud.operation(`instance.${way}`, { instance: id }).ending).toMatchObject({ end: 'done' });
    expect(await found()).toEqual([]);
  }
});

describe('guests', () => {
  test('one that nobody knows is told, and adopted when that is asked for', async () => {
    const id = await cloud.adopt('web-1');
    await transact(cloud.inventory, async (trx) => {
      await trx.deleteFrom('allocations').where('instance', '=', id).execute();
      await trx.deleteFrom('instances').where('id', '=', id).execute();
      await trx.updateTable('host_usage').set({ vcpus_used: 0, memory_mib_used: 0 }).execute();
    });
    expect(await found({ repair: true })).toEqual(['unknown-guest web-1 h1']);
    const record = await audit({ adopt: true });
    expect(record.findings).toEqual([]);
    expect(await cloud.instance('web-1')).toMatchObject({ id, host: 'h1', state: 'active' });
  });

  test('one that is gone: recorded as error, once', async () => {
    const id = await cloud.adopt('web-1');
    await loseGuest(cloud, id);
    await repaired(['missing-guest web-1 h1']);
    expect(await cloud.instance(id)).toMatchObject({ state: 'error', powerState: 'absent' });
  });

  test('one that was moved by hand: the record follows, and so does its room', async () => {
    const id = await cloud.adopt('web-1');
    await world((tx) => tx.run(`update guests set host = 'h2' where id = ?`, id));
    await repaired(['wrong-host web-1 h2']);
    expect(await cloud.instance(id)).toMatchObject({ state: 'active', host: 'h2' });
  });

  test('two copies are the first thing told, and never repaired', async () => {
    const id = await cloud.adopt('web-1');
    await copyTo('h2', id, 'running');
    await cloud.adopt('web-0');
    await loseGuest(cloud, (await cloud.instance('web-0')).id);
    expect(await found({ repair: true })).toEqual(['two-copies web-1 h1']);
    expect((await cloud.instance(id)).host).toBe('h1');
  });

  test('another state than recorded', async () => {
    const id = await cloud.adopt('web-1');
    await world((tx) => tx.run(`update guests set power = 'shutoff', reason = 'destroyed' where id = ?`, id));
    await repaired(['wrong-state web-1 h1']);
    expect(await cloud.instance(id)).toMatchObject({ state: 'stopped', powerState: 'shutoff' });
  });

  test('a definition that is left on another host goes, one that was started meanwhile stays', async () => {
    const id = await cloud.adopt('web-1');
    await copyTo('h2', id);
    await repaired(['definition-elsewhere web-1 h2']);
    await copyTo('h2', id);
    const start = () => world((tx) => tx.run(`update guests set power = 'running' where host = 'h2'`));
    const troubles = [{ at: 'removeDefinition', when: 'within' as const, act: start }];
    const input = { instance: id, also: ['h2'], remove: ['definition'] };
    const { ending } = cloud.operation('instance.repair', input, { troubles });
    expect(await ending).toMatchObject({ end: 'failed' });
    expect(await found()).toEqual(['two-copies web-1 h1']);
  });

  test('autostart is turned off, the guest goes on', async () => {
    const id = await cloud.adopt('web-1');
    await world((tx) => tx.run('update guests set autostart = 1 where id = ?', id));
    await repaired(['autostart web-1 h1']);
    expect(await cloud.instance(id)).toMatchObject({ state: 'active' });
  });
});

describe('files', () => {
  const disk = (host: string, path: string) =>
    world((tx) => putFile(tx, host, { path, format: 'qcow2', bytes: 8, allocated: 8, refers_to: null }));

  test('a disk of a deleted instance: told, and removed when that is asked for; one that was kept is none', async () => {
    for (const keep_disks of [true, false]) {
      const id = await cloud.adopt(`web-${String(keep_disks)}`);
      await cloud.operation('instance.terminate', { instance: id, keep_disks }).ending;
      await disk('h1', `${sharedDirectory}/${id}.qcow2`);
    }
    await cloud.adopt('web-9');
    expect(await found({ repair: true })).toEqual(['orphan-disk web-false h1']);
    const record = await audit({ removeOrphanDisks: true });
    expect(record.findings).toEqual([]);
    expect(record.repaired).toMatchObject([{ error: null }]);
  });

  test('it stays while a host is silent, which may have a guest that uses it', async () => {
    const id = await cloud.adopt('web-1');
    await cloud.operation('instance.terminate', { instance: id }).ending;
    await disk('h1', `${sharedDirectory}/${id}.qcow2`);
    await cloud.adopt('web-9');
    await fault(cloud, { do: 'crash', hosts: ['h3'] });
    const record = await audit({ removeOrphanDisks: true });
    expect(record.findings).toMatchObject([{ kind: 'orphan-disk' }]);
    expect(record.repaired).toMatchObject([
      { error: expect.stringContaining('h3 does not answer') as string },
    ]);
  });

  test('a copy that is left where a disk was once: on local storage it is another file', async () => {
    const id = cloud.random.uuid();
    const size = { vcpus: 1, memory_mib: 1024, image: '/images/debian-12.qcow2', directory: localDirectory };
    await cloud.operation('instance.launch', { instance: id, name: 'web-1', host: 'h1', ...size }).ending;
    await disk('h2', `${localDirectory}/${id}.qcow2`);
    expect(await found()).toEqual(['orphan-disk web-1 h2']);
  });

  test('a saved memory of a guest that runs elsewhere', async () => {
    await cloud.adopt('web-1');
    await world((tx) => tx.run(`insert into saves (host, guest) values ('h2', 'web-1')`));
    await repaired(['stale-save-file web-1 h2']);
    await world((tx) => tx.run(`insert into saves (host, guest) values ('h2', 'somebody')`));
    expect(await found({ repair: true })).toEqual(['stale-save-file somebody h2']);
  });

  test('a guest whose memory was saved by hand becomes a suspended instance, a stopped one is told', async () => {
    const [saved, off] = [await cloud.adopt('web-1'), await cloud.adopt('web-2', { state: 'stopped' })];
    await world((tx) => tx.run(`update guests set managed_save = 1, power = 'shutoff', reason = 'saved'`));
    expect(await found({ repair: true })).toEqual(['stale-save-file web-2 h1']);
    expect(await cloud.instance(saved)).toMatchObject({ state: 'suspended' });
    expect(await cloud.instance(off)).toMatchObject({ state: 'stopped' });
  });
});

describe('what is counted', () => {
  const hold = (id: string, instance: string, operation: string | null) =>
    transact(cloud.inventory, (trx) =>
      trx
        .insertInto('allocations')
        .values({ id, instance, host: 'h2', operation, vcpus: 1, memory_mib: 512, slots: 1 })
        .execute(),
    );

  test('room that an operation left behind, and room of no instance', async () => {
    const id = await cloud.adopt('web-1');
    await hold('claim', id, 'ended');
    const gone = await cloud.adopt('web-0');
    await cloud.operation('instance.terminate', { instance: gone }).ending;
    await hold('other', gone, 'ended');
    const done = await repaired([
      'leaked-allocation null h2',
      'leaked-allocation web-1 h2',
      'wrong-allocation null h2',
    ]);
    expect(done.length).toBe(3);
  });

  test('an instance that is counted with another size, or not at all', async () => {
    const id = await cloud.adopt('web-1');
    await transact(cloud.inventory, (trx) =>
      trx.updateTable('allocations').set({ memory_mib: 1 }).where('instance', '=', id).execute(),
    );
    await repaired(['wrong-allocation null h1', 'wrong-allocation web-1 h1']);
  });
});

test('a hard rule of a server group that does not hold', async () => {
  await createGroup(cloud.inventory, 'apart', 'anti-affinity');
  for (const name of ['web-1', 'web-2']) {
    const id = await cloud.adopt(name);
    await transact(cloud.inventory, (trx) =>
      trx.updateTable('instances').set({ server_group: 'apart' }).where('id', '=', id).execute(),
    );
  }
  expect(await found({ repair: true })).toEqual(['group-violated web-2 h1']);
});

describe('what is not judged', () => {
  test('an instance with a running operation is left alone, and named', async () => {
    const id = await cloud.adopt('web-1');
    await slowLink(cloud);
    const handle = cloud.operation('instance.live-migrate', { instance: id });
    await migrating(cloud);
    const record = await audit({ repair: true });
    expect(record.findings).toEqual([]);
    expect(record.scope.skipped).toEqual([{ instance: id, name: 'web-1', why: 'live-migrate runs on it' }]);
    handle.cancel();
    await handle.ending;
  });

  test('a silent host is named, and nothing is concluded from its silence', async () => {
    const id = await cloud.adopt('web-1');
    await copyTo('h2', id);
    await fault(cloud, { do: 'crash', hosts: ['h1'] });
    const record = await audit();
    expect(record.findings).toEqual([]);
    expect(record.scope).toMatchObject({ hosts: 2, silent: [{ host: 'h1' }] });
  });

  test('only the hosts that were named', async () => {
    const id = await cloud.adopt('web-1');
    await loseGuest(cloud, id);
    expect(await found({ hosts: ['h2'] })).toEqual([]);
    expect(await found({ hosts: ['h1'] })).toEqual(['missing-guest web-1 h1']);
  });
});
