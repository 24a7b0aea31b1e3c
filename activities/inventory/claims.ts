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
/** Evacuations that run towards a host end soon, or are stuck: then they hold nobody up. */
const patienceMs = 10 * 60_000;

export interface ClaimDeps extends OwnershipDeps {
  /** How the cloud fills its hosts; default spread. */
  strategy?: Strategy | (() => Strategy);
  /** Evacuations that may run at a time towards one host; default as many as there are. */
  perTarget?: () => number;
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
  const begun = clock.now();
  const deadline = begun + input.waitSeconds * 1000;
  let told: Refusal | undefined;
  for (let look = 0; ; look += 1) {
    call.signal.throwIfAborted();
    const outcome = await asOwner(deps, owner, (trx, row) =>
      chooseAndClaim(trx, deps, input, row, owner.operation, clock.now() < begun + patienceMs),
    );
    if ('host' in outcome) return outcome;
    if (outcome.full !== null) {
      call.heartbeat({
        waitingFor: 'another evacuation',
        says: `${outcome.full.join(', ')} take no more evacuations at a time`,
      });
      await clock.sleep(POLL_MS, call.signal);
      continue;
    }
    const over = clock.now() >= deadline;
    if (told === undefined || over || look % told.goodFor === 0)
      told = await refusal(deps, input, outcome.none);
    // Room was given back since.
    if (told === undefined) continue;
    if (told.error.code !== 'NoMigrationSlot' || over) throw told.error;
    call.heartbeat({ waitingFor: 'a migration slot', says: told.error.message });
    await clock.sleep(POLL_MS, call.signal);
  }
}

interface Refusal {
  error: DroverError;
  /** So many looks: to list thousands of hosts again takes longer than to choose one. */
  goodFor: number;
}

/** Every host with its reason, read after the transaction: nobody else waits for it. Undefined when there is one now. */
async function refusal(deps: ClaimDeps, input: ClaimInput, row: InstanceRow): Promise<Refusal | undefined> {
  const { candidates, rejected } = await previewPlacement(deps, input, row);
  if (candidates.length > 0) return undefined;
  return { error: noHost(row.name, input, rejected), goodFor: rejected.length > 500 ? 20 : 1 };
}

async function chooseAndClaim(
  trx: Trx,
  { inventory, strategy, perTarget }: ClaimDeps,
  input: ClaimInput,
  row: InstanceRow,
  operation: string,
  capped: boolean,
): Promise<ClaimAnswer | { none: InstanceRow; full: string[] | null }> {
  const before = await claimedHost(trx, input.claim, row.id, operation);
  if (before !== undefined) return { host: before };
  const wanted = await wantedOf(trx, inventory, input, { row, strategy: strategyOf(strategy) });
  const most = capped && input.lost !== undefined ? (perTarget?.() ?? null) : null;
  const full = most === null ? [] : await fullTargets(trx, most);
  const host = await chooseHost(trx, inventory, { ...wanted, exclude: [...wanted.exclude, ...full] });
  if (host === undefined) {
    const waits = full.length > 0 && (await chooseHost(trx, inventory, wanted)) !== undefined;
    return { none: row, full: waits ? full : null };
  }
  const of = { instance: row.id, operation };
  const slots = input.from === null ? 0 : 1;
  const room = { vcpus: input.vcpus, memory_mib: input.memoryMiB, slots };
  const taken = [{ id: input.claim, ...of, host: host.name, ...room }];
  if (input.from !== null)
    taken.push({ id: sourceSlotId(input.claim), ...of, host: input.from, vcpus: 0, memory_mib: 0, slots });
  await addAllocations(trx, taken);
  return { host: { name: host.name, uri: host.uri } };
}

/** Hosts to which so many evacuations run: guests that all boot at once on one host keep each other waiting. */
async function fullTargets(trx: Trx, most: number): Promise<string[]> {
  const rows = await trx
    .selectFrom('allocations')
    .innerJoin('operations', 'operations.id', 'allocations.operation')
    .select('allocations.host')
    .where('operations.kind', '=', 'evacuate')
    .groupBy('allocations.host')
    .having((e) => e.fn.countAll(), '>=', most)
    .orderBy('allocations.host')
    .execute();
  return rows.map(({ host }) => host);
}

const strategyOf = (strategy: ClaimDeps['strategy']): Strategy | undefined =>
  typeof strategy === 'function' ? strategy() : strategy;

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
    placeAll(
      db,
      inventory,
      await wantedOf(db, inventory, request, { row: instance, strategy: strategyOf(strategy) }),
    ),
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
