/** How many hosts the fleet can lose: N+k. */
import { lossOf, type Snapshot } from './loss.js';
import { memoryCapacity } from './rooms.js';

export interface HostLoss {
  host: string;
  zone: string | null;
  reserved: boolean;
  /** Instances that would need room elsewhere. */
  instances: number;
  unplaced: number;
  /** Of those that find room, how many only on a reserved host. */
  onReserved: number;
}

export interface Spare {
  /** Hosts that answer and are not fenced: those that can be lost. */
  hosts: number;
  /**
   * The largest k such that after the loss of any k of them at once every instance finds room elsewhere, but those whose
   * policy is never.
   */
  spare: number;
  /** Whether every choice of that many hosts, and of one more, was tried; else the worst of each size by greedy choice. */
  checked: 'every combination' | 'greedy worst case';
  /** The hosts whose loss is one too many, and how many instances would find no room; null where the search ended before. */
  limit: { hosts: string[]; unplaced: number } | null;
  /** The loss of each host alone: exact. */
  each: HostLoss[];
}

/** More choices than these take too long to try all. */
const combinationsTried = 2000;

export function spareOf(snapshot: Snapshot): Spare {
  const living = snapshot.hosts.filter(({ state, fence }) => state === 'up' && fence === null);
  const each = living.map((host): HostLoss => {
    const { placed, unplaced } = lossOf(snapshot, [host.name]);
    return {
      host: host.name,
      zone: host.zone,
      reserved: host.reserved,
      instances: placed.length + unplaced.length,
      unplaced: unplaced.length,
      onReserved: placed.filter(({ reserved }) => reserved).length,
    };
  });
  const found = { hosts: living.length, each };
  const names = living.map(({ name }) => name);
  for (let lost = 1; lost <= names.length; lost += 1) {
    if (choices(names.length, lost) > combinationsTried) return { ...found, ...greedy(snapshot, each, lost) };
    for (const hosts of combinations(names, lost)) {
      const { unplaced } = lossOf(snapshot, hosts);
      if (unplaced.length > 0) {
        const limit = { hosts, unplaced: unplaced.length };
        return { ...found, spare: lost - 1, checked: 'every combination', limit };
      }
    }
  }
  return { ...found, spare: names.length, checked: 'every combination', limit: null };
}

/**
 * The hosts whose loss costs most are lost first, as many as it takes; fewer than `from` are known to do no harm. Another
 * choice may be worse: it is a limit that is certain, and a number that is not.
 */
function greedy(
  snapshot: Snapshot,
  each: readonly HostLoss[],
  from: number,
): Pick<Spare, 'spare' | 'checked' | 'limit'> {
  const room = new Map(snapshot.hosts.map((host) => [host.name, memoryCapacity(host)]));
  const worst = each
    .toSorted(
      (one, other) =>
        other.unplaced - one.unplaced ||
        (room.get(other.host) ?? 0) - (room.get(one.host) ?? 0) ||
        other.instances - one.instances,
    )
    .map(({ host }) => host);
  const without = (count: number) => lossOf(snapshot, worst.slice(0, count)).unplaced.length;
  let [good, bad] = [from - 1, worst.length];
  if (without(bad) === 0) return { spare: bad, checked: 'greedy worst case', limit: null };
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (without(middle) === 0) good = middle;
    else bad = middle;
  }
  const limit = { hosts: worst.slice(0, bad), unplaced: without(bad) };
  return { spare: good, checked: 'greedy worst case', limit };
}

/** How many ways there are to choose so many of `of`. */
function choices(of: number, take: number): number {
  let count = 1;
  for (let index = 1; index <= take; index += 1) count = (count * (of - take + index)) / index;
  return Math.round(count);
}

function* combinations(names: readonly string[], take: number, from = 0): Generator<string[]> {
  if (take === 0) {
    yield [];
    return;
  }
  for (let index = from; index <= names.length - take; index += 1) {
    for (const rest of combinations(names, take - 1, index + 1)) yield [names[index] ?? '', ...rest];
  }
}
