import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Call, ClaimAnswer, ClaimInput, UndoAnswer } from '../types.js';
import { addAllocations, removeAllocations, sourceSlotId } from './allocations.js';
import { chooseHost, placeAll, wantedOf } from './choose.js';
import { read, transact, type Inventory, type Trx } from './database.js';
import { asOwner, type OwnershipDeps } from './ownership.js';
import { noHost, type Placement } from './placement/place.js';
import type { PlacementRequest, Strategy } from './placement/request.js';
import { hostRefOf } from './rows.js';
import type { InstanceRow } from './schema.js';

const POLL_MS = 500;

export interface ClaimDeps extends OwnershipDeps {
  /** How the cloud fills its hosts; default spread. */
  strategy?: Strategy;
}

/**
 * Chooses a host and claims room on it, in one transaction: two that choose at the same time can't both get
 * the last gigabyte or the last migration slot. While only migration slots are missing it waits up to
 * `waitSeconds`; each look is a new choice. A claim that exists answers its host again.
 */
export async function claimHost(
  deps: ClaimDeps,
  input: ClaimInput,
  call: Pick<Call, 'owner' | 'signal' | 'heartbeat'>,
): Promise<ClaimAnswer> {
  const { owner } = call;
  if (owner === null) throw new DroverError('InvalidInput', 'a claim needs the operation that it is for');
  const { clock } = deps.inventory;
  const deadline = clock.now() + input.waitSeconds * 1000;
  for (;;) {
    call.signal.throwIfAborted();
    const outcome = await asOwner(deps, owner, (trx, row) =>
      chooseAndClaim(trx, deps, input, row, owner.operation),
    );
    if (!(outcome instanceof DroverError)) return outcome;
    if (outcome.code !== 'NoMigrationSlot' || clock.now() >= deadline) throw outcome;
    call.heartbeat({ waitingFor: 'a migration slot', says: outcome.message });
    await clock.sleep(POLL_MS, call.signal);
  }
}

async function chooseAndClaim(
  trx: Trx,
  { inventory, strategy }: ClaimDeps,
  input: ClaimInput,
  row: InstanceRow,
  operation: string,
): Promise<ClaimAnswer | DroverError> {
  const before = await claimedHost(trx, input.claim, row.id, operation);
  if (before !== undefined) return { host: before };
  const chosen = await chooseHost(trx, inventory, await wantedOf(trx, inventory, input, { row, strategy }));
  const host = 'host' in chosen ? chosen.host : chosen.candidates[0];
  if (host === undefined) return noHost(row.name, input, 'host' in chosen ? [] : chosen.rejected);
  const of = { instance: row.id, operation };
  const slots = input.from === null ? 0 : 1;
  const room = { vcpus: input.vcpus, memory_mib: input.memoryMiB, slots };
  const taken = [{ id: input.claim, ...of, host: host.name, ...room }];
  if (input.from !== null)
    taken.push({ id: sourceSlotId(input.claim), ...of, host: input.from, vcpus: 0, memory_mib: 0, slots });
  await addAllocations(trx, taken);
  return { host: { name: host.name, uri: host.uri } };
}

async function claimedHost(
  trx: Trx,
  claim: string,
  instance: string,
  operation: string,
): Promise<HostRef | undefined> {
  const row = await trx
    .selectFrom('allocations')
    .innerJoin('hosts', 'hosts.name', 'allocations.host')
    .select(['instance', 'operation', 'hosts.name', 'hosts.uri'])
    .where('allocations.id', '=', claim)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const mine = row.instance === instance && (row.operation === null || row.operation === operation);
  if (mine) return hostRefOf(row);
  throw new DroverError('AlreadyExists', `the claim ${claim} belongs to another operation`, {
    details: { claim, instance: row.instance, operation: row.operation },
  });
}

/** What a claim would choose now, with every host's reason; takes nothing. `instance`: what is to be placed, as a row may know it. */
export async function previewPlacement(
  { inventory, strategy }: Pick<ClaimDeps, 'inventory' | 'strategy'>,
  request: PlacementRequest,
  instance: Parameters<typeof wantedOf>[3]['row'],
): Promise<Placement> {
  return read(inventory, async (db) =>
    placeAll(db, inventory, await wantedOf(db, inventory, request, { row: instance, strategy })),
  );
}

/**
 * Gives a claim back, both its halves. What became permanent is no claim any more and stays: whether it is
 * right is decided where the instance's row is written, from where the guest was seen.
 */
export async function releaseClaim(inventory: Inventory, { claim }: { claim: string }): Promise<UndoAnswer> {
  await transact(inventory, (trx) => removeAllocations(trx, [claim, sourceSlotId(claim)], { claims: true }));
  return { undone: true };
}
