/** A world of two hosts and one guest, and an operation on that guest which stops half-way. */
import type { IntentCall, Owner } from '../../../model/operation.js';
import { callOf } from '../../call.js';
import { ask, begin, claimOf, expectOutcome, guest, host, makeWorld, undo, type World } from './world.js';

export async function twoHosts(): Promise<World> {
  const world = await makeWorld();
  await host(world, 'kvm-1');
  await host(world, 'kvm-2');
  await guest(world, 'i1', 'kvm-1');
  return world;
}

const none = callOf(null);

export const admit = (world: World, owner: Owner, seq: number, what: IntentCall | null) =>
  world.act.admit({ owner, seq, undo: what }, none);

export const reconcile = async (world: World, operation: string, rest = {}) =>
  expectOutcome(await world.act.beginOperation(ask(operation, 'i1', rest), none), 'reconcile');

export const finish = (world: World, owner: Owner, rest = {}) =>
  world.act.finishOperation(
    { owner, state: 'succeeded', patch: {}, result: null, error: null, settled: [], left: [], ...rest },
    none,
  );

/** A migration that has a claim, a half copied disk and a job under way. */
export async function halfMoved(world: World, operation: string): Promise<Owner> {
  const owner = await begin(world, operation, 'i1');
  await admit(world, owner, 1, undo('the claim', { claim: 'c1' }, 'releaseClaim'));
  await world.act.claimHost(claimOf('c1', { from: 'kvm-1' }), callOf(owner));
  await admit(world, owner, 2, undo('the half copied disk', { path: '/new' }));
  await admit(world, owner, 3, undo('the migration', {}, 'undoMigrate'));
  return owner;
}
