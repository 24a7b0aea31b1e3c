/** Whatever the operations do, in whatever order, and wherever they are cut off. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { read } from '../../../activities/inventory/database.js';
import { listHosts } from '../../../activities/inventory/hosts.js';
import { listInstances } from '../../../activities/inventory/instances.js';
import { isErrorCode } from '../../../model/errors.js';
import type { Intent, Owner } from '../../../model/operation.js';
import { server } from './place.js';
import { callOf } from '../../call.js';
import { allocations, ask, claimOf, guest, host, intents, makeWorld, undo, type World } from './world.js';

const guests = ['i1', 'i2', 'i3', 'i4'];
const none = callOf(null);

/** One operation as its workflow knows it; a terminated workflow's is forgotten, and only `late` remembers. */
interface Actor {
  owner: Owner;
  seq: number;
  claimed: { claim: string; host: string } | null;
}

class Herd {
  actors = new Map<string, Actor>();
  late: Owner[] = [];
  private count = 0;
  constructor(readonly world: World) {}

  next = (what: string): string => `${what}${(this.count += 1)}`;

  /** Begins; where something was left it is settled first, as the kernel does. */
  async begin(instance: string, forward: boolean, repair = false): Promise<void> {
    const { act } = this.world;
    const operation = this.next('op');
    const rules = { allowedStates: null, respectsNeedsRepair: !repair };
    for (;;) {
      const answer = await act.beginOperation(ask(operation, instance, rules), none);
      if (!('owner' in answer)) throw new Error(`a new operation is ${answer.outcome}`);
      if (answer.outcome === 'began') {
        this.actors.set(instance, { owner: answer.owner, seq: 0, claimed: null });
        return;
      }
      const { owner, intents: open, predecessor } = answer;
      const committed = forward && (await this.commitClaim(owner, open));
      const settled = committed ? [] : await this.undoAll(open);
      await act.reconciled(
        { owner, predecessor: predecessor?.id ?? null, patch: {}, settled, left: [], note: '' },
        none,
      );
    }
  }

  /** The lost migration turns out to be done: the guest is where the claim is. */
  private async commitClaim(owner: Owner, open: Intent[]): Promise<boolean> {
    const claims = new Set(open.map((one) => one.input['claim']));
    const found = (await allocations(this.world)).find((row) => claims.has(row.id) && row.operation !== null);
    if (found === undefined) return false;
    await this.world.act.commit({ owner, patch: { host: found.host }, cleanup: [] }, none);
    return true;
  }

  private async undoAll(open: Intent[]): Promise<Intent[]> {
    for (const { activity, input } of open) {
      if (activity === 'releaseClaim')
        await this.world.act.releaseClaim({ claim: String(input['claim']) }, none);
    }
    return open;
  }

  async claim(actor: Actor, move: boolean): Promise<void> {
    const { act, inventory } = this.world;
    const claim = this.next('c');
    const { instance } = actor.owner;
    const row = (await listInstances(inventory)).find((one) => one.id === instance);
    const from = move ? (row?.host ?? null) : null;
    const exclude = row?.host ? [row.host] : [];
    actor.seq += 1;
    const release = undo(`claim ${claim}`, { claim }, 'releaseClaim');
    await act.admit({ owner: actor.owner, seq: actor.seq, undo: release }, none);
    const { host: target } = await act.claimHost(claimOf(claim, { from, exclude }), callOf(actor.owner));
    actor.claimed = { claim, host: target.name };
  }

  async finish(
    instance: string,
    actor: Actor,
    rest: { undo: boolean; left: boolean; deleted: boolean },
  ): Promise<void> {
    const { act } = this.world;
    let { owner } = actor;
    let settled: Intent[] = [];
    if (rest.undo) {
      const unwound = await act.startUnwind({ owner }, none);
      owner = unwound.owner;
      settled = rest.left ? [] : await this.undoAll(unwound.intents);
    }
    const patch = rest.deleted ? { state: 'deleted' as const } : {};
    const end = { patch, result: null, error: null, settled, left: rest.left ? ['something'] : [] };
    await act.finishOperation({ owner, state: rest.undo ? 'failed' : 'succeeded', ...end }, none);
    this.actors.delete(instance);
    this.late.push(owner);
  }

  /** A late step of an operation that is closed or was taken over: refused, and nothing changes. */
  async tryLate(owner: Owner): Promise<void> {
    const { act } = this.world;
    const before = JSON.stringify([await allocations(this.world), await intents(this.world)]);
    const calls = [
      act.admit({ owner, seq: 9, undo: undo('late') }, none),
      act.claimHost(claimOf(this.next('late')), callOf(owner)),
      act.commit({ owner, patch: { host: 'a' }, cleanup: [undo('late')] }, none),
    ];
    const refused = { status: 'rejected', reason: { code: 'StaleOwner' } };
    expect(await Promise.allSettled(calls)).toMatchObject([refused, refused, refused]);
    expect(JSON.stringify([await allocations(this.world), await intents(this.world)])).toBe(before);
  }
}

type Command = {
  kind: 'begin' | 'claim' | 'commit' | 'unwind' | 'finish' | 'terminate' | 'late';
  guest: number;
  yes: boolean;
  left: boolean;
};

async function run(herd: Herd, command: Command): Promise<void> {
  const instance = guests[command.guest] ?? '';
  const actor = herd.actors.get(instance);
  if (command.kind === 'begin' && actor === undefined) return herd.begin(instance, command.yes);
  if (command.kind === 'late') {
    const stale = herd.late.filter(
      (owner) => herd.actors.get(owner.instance)?.owner.operation !== owner.operation,
    );
    const found = stale[command.guest % Math.max(1, stale.length)];
    // An operation that was terminated owns its instance until the next one comes.
    const owned = (await listInstances(herd.world.inventory)).some(
      (one) => one.operation === found?.operation,
    );
    return found === undefined || owned ? undefined : herd.tryLate(found);
  }
  if (actor === undefined) return;
  const { owner, claimed } = actor;
  if (command.kind === 'claim' && claimed === null) return herd.claim(actor, command.yes);
  if (command.kind === 'commit' && claimed !== null) {
    const cleanup = command.yes ? [undo(`clean up after ${owner.operation}`)] : [];
    await herd.world.act.commit({ owner, patch: { host: claimed.host }, cleanup }, none);
    actor.claimed = null;
  }
  if (command.kind === 'unwind' || command.kind === 'finish') {
    const unwind = command.kind === 'unwind';
    // An operation that made no undo of its own claim must not close as if all were done.
    const must = unwind || claimed !== null;
    await herd.finish(instance, actor, {
      undo: must,
      left: command.left,
      deleted: command.guest === 3 && command.yes,
    });
  }
  if (command.kind === 'terminate') {
    herd.actors.delete(instance);
    herd.late.push(owner);
  }
}

async function checkInvariants({ world }: Herd): Promise<void> {
  const rows = await allocations(world);
  const living = await listInstances(world.inventory);
  for (const { id, host: home } of living) {
    const permanent = rows.filter((row) => row.instance === id && row.operation === null);
    expect(permanent, `allocations of ${id}`).toMatchObject([{ host: home, slots: 0 }]);
  }
  const open = await intents(world).then((all) => all.filter((one) => one.state === 'open'));
  const running = new Set(living.map((one) => one.operation));
  for (const row of rows.filter((one) => one.operation !== null)) {
    const named = open.some((one) => one.input.includes(`"${row.id.replace('/source', '')}"`));
    expect(named || running.has(row.operation), `claim ${row.id} has an owner`).toBe(true);
  }
  const sum = (on: string, of: 'vcpus' | 'memory_mib' | 'slots') =>
    rows.filter((row) => row.host === on).reduce((total, row) => total + row[of], 0);
  for (const one of await listHosts(world.inventory)) {
    const { name, vcpusUsed, memoryMiBUsed, slotsUsed } = one;
    expect([vcpusUsed, memoryMiBUsed, slotsUsed], `what is told to be in use on ${name}`).toEqual([
      sum(name, 'vcpus'),
      sum(name, 'memory_mib'),
      sum(name, 'slots'),
    ]);
    expect(one.memoryMiBUsed, `memory of ${one.name}`).toBeLessThanOrEqual(one.memoryMiB);
    expect(one.vcpusUsed, `vCPUs of ${one.name}`).toBeLessThanOrEqual(one.vcpus);
    expect(one.slotsUsed, `slots of ${one.name}`).toBeLessThanOrEqual(one.slots);
  }
}

/** Settles whatever the sequence left, as the janitor does; then nothing at all may be open. */
async function settleAll(herd: Herd): Promise<void> {
  const { world } = herd;
  for (const instance of guests) {
    const row = (await listInstances(world.inventory)).find((one) => one.id === instance);
    const broken = (await world.act.findOrphans({}, none)).some((one) => one.instance === instance);
    if (row === undefined && !broken) continue;
    await herd.begin(instance, false, true);
    const actor = herd.actors.get(instance);
    if (actor !== undefined) await herd.finish(instance, actor, { undo: true, left: false, deleted: false });
  }
  await checkInvariants(herd);
  const living = await listInstances(world.inventory);
  expect((await allocations(world)).map((row) => row.instance).toSorted()).toEqual(
    living.map((one) => one.id).toSorted(),
  );
  expect((await listHosts(world.inventory)).map((one) => one.slotsUsed)).toEqual([0, 0, 0]);
  expect((await intents(world)).filter((one) => one.state === 'open')).toEqual([]);
  const unclosed = await read(world.inventory, (db) =>
    db.selectFrom('operations').select('id').where('ended_at', 'is', null).execute(),
  );
  expect(unclosed).toEqual([]);
  expect(living.filter((one) => one.needsRepair !== null || one.operation !== null)).toEqual([]);
}

const commands = fc.array(
  fc.record({
    kind: fc.constantFrom<Command['kind'][]>(
      'begin',
      'begin',
      'claim',
      'claim',
      'commit',
      'unwind',
      'finish',
      'terminate',
      'late',
    ),
    guest: fc.nat(guests.length - 1),
    yes: fc.boolean(),
    left: fc.boolean(),
  }),
  { minLength: 5, maxLength: 40 },
);

test('no sequence of operations, failures and terminations breaks the inventory', async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      const world = await makeWorld();
      try {
        for (const name of ['a', 'b', 'c']) await host(world, name, { memoryMiB: 4096, vcpus: 4, slots: 1 });
        for (const [index, id] of guests.entries()) await guest(world, id, index < 2 ? 'a' : 'b');
        const herd = new Herd(world);
        for (const command of sequence) {
          await run(herd, command).catch((error: unknown) => {
            // A refusal is an answer like any other; what breaks the test is an error that is none.
            const code = error instanceof Error && 'code' in error ? error.code : undefined;
            if (!isErrorCode(code) || code === 'StaleOwner' || code === 'Internal') throw error;
          });
          await checkInvariants(herd);
        }
        await settleAll(herd);
      } finally {
        await world.close();
      }
    }),
    // A round trip for each statement: a few are enough where the same code has had many.
    { numRuns: server === undefined ? 60 : 12 },
  );
}, 120_000);
