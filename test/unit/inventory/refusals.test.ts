import { afterEach, beforeEach, expect, test } from 'vitest';
import { addHost, recordProbe, removeHost, setHostEnabled } from '../../../activities/inventory/hosts.js';
import { getInstance, setLock } from '../../../activities/inventory/instances.js';
import { getOperation, listOperations } from '../../../activities/inventory/records.js';
import type { BeginInput } from '../../../activities/types.js';
import { callOf } from '../../call.js';
import {
  ask,
  begin,
  claimOf,
  expectOutcome,
  guest,
  host,
  makeWorld,
  told,
  type World,
  undo,
} from './world.js';

let world: World;
beforeEach(async () => {
  world = await makeWorld();
  await host(world, 'kvm-1');
  await guest(world, 'i1', 'kvm-1');
});
afterEach(() => world.close());

const none = callOf(null);
const refused = (operation: string, rest: Partial<BeginInput> = {}, instance = 'i1') =>
  told(world.act.beginOperation(ask(operation, instance, rest), none));
const admin = { id: 'op-admin', by: 'root', role: 'admin' as const, run: null };
const fresh = { flavor: null, vcpus: 1, memoryMiB: 512, image: null, metadata: {} };

test('a refusal is recorded, owns nothing, and is answered again', async () => {
  const text = await refused('op1', { allowedStates: ['stopped'] });
  expect(text).toMatchInlineSnapshot(`
    "WrongState: live-migrate takes an instance that is stopped; web-i1 is active
    → bring the instance to an allowed state first"
  `);
  expect(await getOperation(world.inventory, 'op1')).toMatchObject({
    state: 'refused',
    error: { code: 'WrongState', details: { state: 'active', allowed: ['stopped'] } },
  });
  expect((await getInstance(world.inventory, 'i1')).operation).toBeNull();
  const again = await world.act.beginOperation(ask('op1', 'i1'), none);
  expect(expectOutcome(again, 'closed')).toMatchObject({ state: 'refused', error: { code: 'WrongState' } });
});

test('a wrong state names what is allowed', async () => {
  expect(await refused('op1', { kind: 'stop', allowedStates: ['stopped', 'error', 'paused'] }))
    .toMatchInlineSnapshot(`
    "WrongState: stop takes an instance that is stopped, error or paused; web-i1 is active
    → bring the instance to an allowed state first"
  `);
});

test('an error state tells its fault', async () => {
  await guest(world, 'i2', 'kvm-1', { state: 'error' });
  const owner = await begin(world, 'op0', 'i2', { allowedStates: null });
  const end = { state: 'failed' as const, result: null, error: null, settled: [], left: [] };
  await world.act.finishOperation({ owner, patch: { fault: 'no guest was found on kvm-1' }, ...end }, none);
  expect(await refused('op1', {}, 'i2')).toMatchInlineSnapshot(`
    "WrongState: live-migrate takes an instance that is active or paused; web-i2 is error (no guest was found on kvm-1)
    → bring the instance to an allowed state first"
  `);
});

test('a lock refuses all but administrators, and what respects no lock', async () => {
  await setLock(world.inventory, 'web-i1', { reason: 'kernel upgrade', by: 'bob' });
  expect(await refused('op1')).toMatchInlineSnapshot(`
    "InstanceLocked: instance web-i1 is locked by bob ("kernel upgrade")
    → ask bob, or an administrator: drover instance unlock web-i1"
  `);
  const snapshot = await begin(world, 'op2', 'i1', { kind: 'snapshot', respectsLock: false });
  const end = { state: 'succeeded' as const, patch: {}, result: null, error: null, settled: [], left: [] };
  await world.act.finishOperation({ owner: snapshot, ...end }, none);
  await begin(world, 'op-admin', 'i1', { request: admin });
});

test('a host whose state is unknown refuses', async () => {
  await recordProbe(world.inventory, 'kvm-1', { up: false, reason: 'connection timed out' });
  expect(await refused('op1')).toMatchInlineSnapshot(`
    "HostUnknown: the state of host kvm-1, which instance web-i1 is on, is unknown: connection timed out (last seen 2026-11-01T00:00:01.000Z)
    → bring the host back, or recover it"
  `);
});

test('a guest that may run on a silent target is not terminated', async () => {
  await host(world, 'kvm-2');
  const owner = await begin(world, 'op1', 'i1');
  const move = undo('the migration of web-i1 to kvm-2', { target: { name: 'kvm-2' } }, 'undoMigrate');
  await world.act.admit({ owner, seq: 1, undo: move }, none);
  const { owner: unwinding } = await world.act.startUnwind({ owner }, none);
  const ended = {
    owner: unwinding,
    state: 'failed' as const,
    patch: {},
    result: null,
    error: null,
    settled: [],
  };
  await world.act.finishOperation({ ...ended, left: ['kvm-2 does not answer'] }, none);
  const rules = { allowedStates: null, respectsNeedsRepair: false };
  expect(await refused('op2', { ...rules, kind: 'terminate' })).toMatchInlineSnapshot(`
    "HostUnknown: instance web-i1 may run on another host as well: the migration of web-i1 to kvm-2
    → bring that host back: the janitor looks there then; or \`drover instance repair web-i1\`"
  `);
  const repair = await world.act.beginOperation(ask('op3', 'i1', { ...rules, kind: 'repair' }), none);
  expect(repair.outcome).toBe('reconcile');
});

test('a missing capability refuses before anything else', async () => {
  expect(await refused('op1', { kind: 'pause', needs: 'pause' }, 'nobody')).toMatchInlineSnapshot(`
    "Unsupported: pause needs pause, which the hypervisors of this cloud don't have
    → see the reason; choose another operation"
  `);
});

test('an unknown and a deleted instance', async () => {
  expect(await refused('op1', {}, 'i9')).toMatchInlineSnapshot(`
    "NotFound: no instance has the id i9
    → list what there is, for example with \`drover instance list\`"
  `);
  const owner = await begin(world, 'op2', 'i1');
  const end = { state: 'succeeded' as const, result: null, error: null, settled: [], left: [] };
  await world.act.finishOperation({ owner, patch: { state: 'deleted' }, ...end }, none);
  expect(await refused('op3')).toMatchInlineSnapshot(`
    "NotFound: instance web-i1 (i1) was deleted at 2026-11-01T00:00:06.000Z
    → list what there is, for example with \`drover instance list\`"
  `);
  expect((await listOperations(world.inventory, { state: 'refused' })).map((one) => one.id)).toEqual([
    'op3',
    'op1',
  ]);
});

test('a launch makes its row; a name or an id that is taken refuses it', async () => {
  const create = { name: 'db', ...fresh };
  const launch = { kind: 'launch', doing: 'building', allowedStates: ['building'], create };
  const owner = await begin(world, 'op1', 'i2', launch);
  expect(await getInstance(world.inventory, 'db')).toMatchObject({ id: 'i2', state: 'building', host: null });
  expect(await begin(world, 'op1', 'i2', launch)).toEqual(owner);
  expect(await refused('op2', launch, 'i3')).toMatchInlineSnapshot(`
    "AlreadyExists: there is an instance db already: i2 (building)
    → choose another name, or remove the other one"
  `);
  expect(await refused('op3', { ...launch, create: { ...create, name: 'web-i1' } }, 'i3'))
    .toMatchInlineSnapshot(`
    "AlreadyExists: there is an instance web-i1 already: i1 (active, on kvm-1)
    → choose another name, or remove the other one"
  `);
  expect(await refused('op4', { ...launch, create: { ...create, name: 'new' } }, 'i1'))
    .toMatchInlineSnapshot(`
    "AlreadyExists: the id i1 is that of instance web-i1 (active) already
    → choose another name, or remove the other one"
  `);
});

test('the same refusal of a janitor is kept once', async () => {
  await recordProbe(world.inventory, 'kvm-1', { up: false, reason: 'connection timed out' });
  const by = (id: string) => ({ request: { id, by: 'janitor', role: 'automation' as const, run: null } });
  for (const id of ['j1', 'j2', 'j3']) await refused(id, { kind: 'repair', ...by(id) });
  await refused('op1');
  await refused('op2');
  const all = await listOperations(world.inventory, { instance: 'i1' });
  expect(all.map((one) => one.id)).toEqual(['op2', 'op1', 'j3']);
});

test('refusals before a begin are recorded once', async () => {
  const request = {
    id: 'op1',
    by: 'alice',
    role: 'operator' as const,
    run: { id: 'r1', step: 's1', item: 'i1' },
  };
  const error = { code: 'InstanceBusy' as const, message: 'busy', details: {}, hint: 'wait' };
  const input = { kind: 'stop', request, instance: 'i1', input: { force: true }, error };
  await world.act.refuseOperation(input, none);
  await world.act.refuseOperation({ ...input, error: { ...error, message: 'other' } }, none);
  expect(await getOperation(world.inventory, 'op1')).toMatchObject({
    state: 'refused',
    error,
    run: 'r1',
    step: 's1',
    item: 'i1',
    input: { force: true },
  });
});

test('no valid host: every host with its reason', async () => {
  await host(world, 'kvm-2', { memoryMiB: 7680, memoryMiBReserved: 512 });
  await guest(world, 'i2', 'kvm-2', { memoryMiB: 6144 });
  await host(world, 'kvm-3');
  await setHostEnabled(world.inventory, { host: 'kvm-3', enabled: false, reason: 'new disks', by: 'bob' });
  await host(world, 'kvm-4');
  await recordProbe(world.inventory, 'kvm-4', { up: false, reason: 'connection refused' });
  await host(world, 'kvm-5', { vcpus: 2, cpuOvercommit: 1.5 });
  await guest(world, 'i5', 'kvm-5', { vcpus: 2 });
  await host(world, 'kvm-6');
  await host(world, 'kvm-7', { slots: 0 });
  const owner = await begin(world, 'op1', 'i1');
  const need = { vcpus: 2, memoryMiB: 2048, from: 'kvm-1', exclude: ['kvm-6'] };
  expect(await told(world.act.claimHost(claimOf('c1', need), callOf(owner)))).toMatchInlineSnapshot(`
    "NoValidHost: no host can take web-i1 (2 vCPUs, 2048 MiB):
      kvm-1: the instance is there now
      kvm-2: needs 2048 MiB, 1024 MiB free of 7168 MiB
      kvm-3: disabled: new disks
      kvm-4: its state is unknown: connection refused
      kvm-5: needs 2 vCPUs, 1 free of 3 (2 × 1.5)
      kvm-6: excluded by the request
      kvm-7: kvm-7 takes part in no migrations (it has 0 slots)
    → free capacity, enable a host, or name another one"
  `);
  const named = { ...need, host: 'kvm-2' };
  expect(await told(world.act.claimHost(claimOf('c1', named), callOf(owner)))).toMatchInlineSnapshot(`
    "NoValidHost: no host can take web-i1 (2 vCPUs, 2048 MiB):
      kvm-2: needs 2048 MiB, 1024 MiB free of 7168 MiB
    → free capacity, enable a host, or name another one"
  `);
  const unknown = { ...need, host: 'kvm2' };
  expect(await told(world.act.claimHost(claimOf('c1', unknown), callOf(owner)))).toMatchInlineSnapshot(`
    "NotFound: there is no host "kvm2" — did you mean "kvm-2"?
    → list the hosts with \`drover host list\`"
  `);
});

test('names: unknown, mistyped, ambiguous; hosts that are taken or in use', async () => {
  expect(await told(getInstance(world.inventory, 'wbe-i1'))).toMatchInlineSnapshot(`
    "NotFound: no instance has the name or id "wbe-i1" — did you mean "web-i1"?
    → list what there is, for example with \`drover instance list\`"
  `);
  await host(world, 'kvm-2');
  await guest(world, 'i2', 'kvm-2', { name: 'web-i1', state: 'stopped' });
  expect(await told(getInstance(world.inventory, 'web-i1'))).toMatchInlineSnapshot(`
    "Ambiguous: 2 instances have the name "web-i1":
      i1 (active, on kvm-1)
      i2 (stopped, on kvm-2)
    → use one of the ids"
  `);
  expect(await told(world.act.getHost({ host: 'kmv-1' }, none))).toMatchInlineSnapshot(`
    "NotFound: there is no host "kmv-1" — did you mean "kvm-1"?
    → list the hosts with \`drover host list\`"
  `);
  expect(await told(world.act.listInstances({ state: 'actve' }, none))).toMatchInlineSnapshot(`
    "InvalidInput: "actve" is no state of an instance — did you mean "active"?
    → the states are building, active, paused, suspended, stopped, rescued, resized, shelved, shelved-offloaded, error, deleted"
  `);
  const again = { name: 'kvm-1', uri: 'x', slots: 1, cpuOvercommit: 1, memoryMiBReserved: 0, labels: {} };
  expect(await told(addHost(world.inventory, again))).toMatchInlineSnapshot(`
    "AlreadyExists: there is a host "kvm-1" already, at test+ssh://kvm-1/system
    → choose another name, or remove the other one"
  `);
  expect(await told(removeHost(world.inventory, 'kvm-1'))).toMatchInlineSnapshot(`
    "HostBusy: host kvm-1 is not empty, it has or awaits web-i1
    → move them away first: drover host drain kvm-1"
  `);
  expect(await told(guest(world, 'i1', 'kvm-2'))).toMatchInlineSnapshot(`
    "AlreadyExists: the inventory has i1 already: instance web-i1 (active, on kvm-1)
    → nothing, if it is that guest; otherwise it is a copy, and must not run"
  `);
});
