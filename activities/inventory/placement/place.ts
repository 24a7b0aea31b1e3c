/** Which host: pure functions over what the inventory knows, the same for a claim, a dry run and a test. */
import { DroverError } from '../../../model/errors.js';
import type { Rejection } from '../../../model/host.js';
import { filters, rejectionOf } from './filters.js';
import type { Candidate, PlacementRequest, Wanted } from './request.js';
import { cpus } from './rooms.js';
import { sorted } from './weighers.js';

export interface Placement {
  /** Hosts that can take it, the best first. */
  candidates: Candidate[];
  rejected: Rejection[];
}

export function place(hosts: readonly Candidate[], wanted: Wanted): Placement {
  const candidates: Candidate[] = [];
  const rejected: Rejection[] = [];
  for (const host of hosts) {
    if (wanted.host !== null && host.name !== wanted.host) continue;
    const rejection = rejectionOf(host, wanted);
    if (rejection === undefined) candidates.push(host);
    else rejected.push(rejection);
  }
  return { candidates: sorted(candidates, wanted), rejected };
}

/** More hosts than these are counted by filter, with the nearest misses first. */
const shown = 20;
/** An error travels through Temporal, which refuses what is larger than 2 MB; a dry run lists all. */
const kept = 1000;

/** The error for a placement without a candidate: every host with its reason. Waiting can help only for NoMigrationSlot. */
export function noHost(
  instance: string,
  request: PlacementRequest,
  rejected: readonly Rejection[],
): DroverError {
  const waiting = rejected.some((rejection) => rejection.temporary);
  const what = `${instance} (${cpus(request.vcpus)}, ${request.memoryMiB} MiB)`;
  const first = waiting ? `no migration slot is free for ${what}` : `no host can take ${what}`;
  const few = rejected.length <= shown;
  const listed = few ? rejected : nearest(rejected);
  const lines = listed.slice(0, shown).map(({ host, reason }) => `  ${host}: ${reason}`);
  const counts = countsOf(rejected);
  const summary = few ? '' : ` ${summaryOf(rejected.length, counts)}:`;
  const more = few ? [] : [`  and ${rejected.length - shown} more`];
  const message =
    lines.length === 0 ? `${first}: there is no host` : [`${first}:${summary}`, ...lines, ...more].join('\n');
  return new DroverError(waiting ? 'NoMigrationSlot' : 'NoValidHost', message, {
    details: { rejections: listed.slice(0, kept), ...(few ? {} : { counts }) },
  });
}

/** The best first: those that passed the most filters. */
function nearest(rejected: readonly Rejection[]): Rejection[] {
  const order = new Map(filters.map((filter, index) => [filter.name, index]));
  const passed = ({ filter }: Rejection): number => order.get(filter) ?? 0;
  return rejected.toSorted((one, other) => passed(other) - passed(one));
}

function countsOf(rejected: readonly Rejection[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { filter } of rejected) counts[filter] = (counts[filter] ?? 0) + 1;
  return counts;
}

const summaryOf = (total: number, counts: Record<string, number>): string =>
  `${total} hosts were refused, ${Object.entries(counts)
    .toSorted(([, one], [, other]) => other - one)
    .map(([filter, count]) => `${count} by ${filter}`)
    .join(', ')}`;
