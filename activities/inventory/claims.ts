import { DroverError } from '../../model/errors.js';
import type { HostRef, Rejection } from '../../model/host.js';
import type { Call, ClaimAnswer, ClaimInput, UndoAnswer } from '../types.js';
import { sourceSlotId } from './allocations.js';
import { read, transact, type Inventory, type Trx } from './database.js';
import { hostsWithUsage, requireHost } from './hosts.js';
import { asOwner, type OwnershipDeps } from './ownership.js';
import { noHost, place, type Placement, type PlacementRequest } from './placement.js';
import { hostRefOf } from './rows.js';
import type { InstanceRow } from './schema.js';

const POLL_MS = 500;

/**
 * Chooses a host and claims room on it, in one transaction: two that choose at the same time can't both get
 * the last gigabyte or the last migration slot. While only migration slots are missing it waits up to
 * `waitSeconds`; each look is a new choice. A claim that exists answers its host again.
 */
export async function claimHost(
  deps: OwnershipDeps,
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
      chooseAndClaim(trx, deps.inventory, input, row, owner.operation),
    );
    if (!(outcome instanceof DroverError)) return outcome;
    if (outcome.code !== 'NoMigrationSlot' || clock.now() >= deadline) throw outcome;
    call.heartbeat({ waitingFor: 'a migration slot', rejections: outcome.details['rejections'] });
    await clock.sleep(POLL_MS, call.signal);
  }
}

async function chooseAndClaim(
  trx: Trx,
  inventory: Inventory,
  input: ClaimInput,
  row: InstanceRow,
  operation: string,
): Promise<ClaimAnswer | DroverError> {
  const before = await claimedHost(trx, input.claim, row.id, operation);
  if (before !== undefined) return { host: before, rejected: [] };
  const { candidates, rejected } = await choose(trx, inventory, input);
  const [host] = candidates;
  if (host === undefined) return noHost(row.name, input, rejected);
  const of = { instance: row.id, operation };
  const slots = input.from === null ? 0 : 1;
  await trx
    .insertInto('allocations')
    .values({
      id: input.claim,
      ...of,
      host: host.name,
      vcpus: input.vcpus,
      memory_mib: input.memoryMiB,
      slots,
    })
    .execute();
  if (input.from !== null) {
    await trx
      .insertInto('allocations')
      .values({ id: sourceSlotId(input.claim), ...of, host: input.from, vcpus: 0, memory_mib: 0, slots })
      .execute();
  }
  return { host: { name: host.name, uri: host.uri }, rejected };
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

async function choose(db: Trx, inventory: Inventory, request: PlacementRequest): Promise<Placement> {
  if (request.host !== null) await requireHost(db, request.host);
  if (request.from !== null) await requireHost(db, request.from);
  return place(await hostsWithUsage(db, inventory), request);
}

/** What a claim would answer now; takes nothing. */
export async function previewPlacement(
  inventory: Inventory,
  request: PlacementRequest & { instance: string },
): Promise<{ host: HostRef; rejected: Rejection[] }> {
  const { candidates, rejected } = await read(inventory, (db) => choose(db, inventory, request));
  const [host] = candidates;
  if (host === undefined) throw noHost(request.instance, request, rejected);
  return { host: { name: host.name, uri: host.uri }, rejected };
}

/**
 * Gives a claim back, both its halves. What became permanent is no claim any more and stays: whether it is
 * right is decided where the instance's row is written, from where the guest was seen.
 */
export async function releaseClaim(inventory: Inventory, { claim }: { claim: string }): Promise<UndoAnswer> {
  await transact(inventory, (trx) =>
    trx
      .deleteFrom('allocations')
      .where('id', 'in', [claim, sourceSlotId(claim)])
      .where('operation', 'is not', null)
      .execute(),
  );
  return { undone: true };
}
