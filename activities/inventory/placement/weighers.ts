/** Which of the hosts that can take it is the best: the first weigher that tells two apart decides. */
import { groupWeight } from './group.js';
import type { Candidate, Wanted } from './request.js';
import { freeMemory, freeVcpus } from './rooms.js';
import { disksToCopy } from './storage.js';

interface Weigher {
  name: string;
  /** Less is better. */
  weigh: (host: Candidate, wanted: Wanted) => number;
}

/** Spread takes the emptiest host, pack the fullest that still has room. */
const room = (free: number, { strategy }: Wanted): number => (strategy === 'pack' ? free : -free);

export const weighers: readonly Weigher[] = [
  // Where reserved hosts may be taken at all, only for what no other host can take.
  { name: 'reserved', weigh: ({ reserved }) => (reserved ? 1 : 0) },
  { name: 'group', weigh: groupWeight },
  { name: 'copied disks', weigh: disksToCopy },
  { name: 'memory', weigh: (host, wanted) => room(freeMemory(host), wanted) },
  { name: 'vcpus', weigh: (host, wanted) => room(freeVcpus(host), wanted) },
];

/** The best first; by name where all weigh the same. */
export function sorted(hosts: readonly Candidate[], wanted: Wanted): Candidate[] {
  return hosts
    .map((host) => ({ host, weights: weighers.map(({ weigh }) => weigh(host, wanted)) }))
    .toSorted((one, other) => {
      for (const [index, weight] of one.weights.entries()) {
        const difference = weight - (other.weights[index] ?? 0);
        if (difference !== 0) return difference;
      }
      return one.host.name < other.host.name ? -1 : 1;
    })
    .map(({ host }) => host);
}
