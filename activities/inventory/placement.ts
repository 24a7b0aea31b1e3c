/** Which host: pure functions over what the inventory knows, the same for a claim, a dry run and a test. */
import { DroverError } from '../../model/errors.js';
import type { Host, Rejection } from '../../model/host.js';

export interface PlacementRequest {
  vcpus: number;
  memoryMiB: number;
  /** The only host to consider, or null for any. */
  host: string | null;
  exclude: readonly string[];
  /** For a move: its source, which gives a migration slot as well; null for a new place. */
  from: string | null;
}

export interface Placement {
  /** Hosts that can take it, the best first. */
  candidates: Host[];
  rejected: Rejection[];
}

interface Filter {
  name: string;
  /** True when waiting can help. Such filters come last: a host that they refuse has passed all others. */
  temporary: boolean;
  /** The reason to refuse the host, undefined to let it pass. */
  refuses: (host: Host, request: PlacementRequest, source: Host | undefined) => string | undefined;
}

const cpus = (count: number): string => `${count} ${count === 1 ? 'vCPU' : 'vCPUs'}`;
const freeMemory = (host: Host): number => host.memoryMiB - host.memoryMiBReserved - host.memoryMiBUsed;
const vcpuCapacity = (host: Host): number => Math.floor(host.vcpus * host.cpuOvercommit);
const freeVcpus = (host: Host): number => vcpuCapacity(host) - host.vcpusUsed;

const filters: readonly Filter[] = [
  {
    name: 'source',
    temporary: false,
    refuses: (host, { from }) => (host.name === from ? 'the instance is there now' : undefined),
  },
  {
    name: 'excluded',
    temporary: false,
    refuses: (host, { exclude }) => (exclude.includes(host.name) ? 'excluded by the request' : undefined),
  },
  {
    name: 'enabled',
    temporary: false,
    refuses: (host) =>
      host.enabled ? undefined : `disabled${host.disabledReason === null ? '' : `: ${host.disabledReason}`}`,
  },
  {
    name: 'maintenance',
    temporary: false,
    refuses: ({ maintenance: now }) =>
      now === null ? undefined : `in maintenance until ${now.until} by ${now.by}: ${now.reason}`,
  },
  {
    name: 'state',
    temporary: false,
    refuses: (host) =>
      host.state === 'up' ? undefined : `its state is unknown: ${host.stateReason ?? 'it does not answer'}`,
  },
  {
    name: 'vcpus',
    temporary: false,
    refuses: (host, { vcpus }) =>
      vcpus <= freeVcpus(host)
        ? undefined
        : `needs ${cpus(vcpus)}, ${Math.max(0, freeVcpus(host))} free of ${vcpuCapacity(host)} (${host.vcpus} × ${host.cpuOvercommit})`,
  },
  {
    name: 'memory',
    temporary: false,
    refuses: (host, { memoryMiB }) =>
      memoryMiB <= freeMemory(host)
        ? undefined
        : `needs ${memoryMiB} MiB, ${Math.max(0, freeMemory(host))} MiB free of ${host.memoryMiB - host.memoryMiBReserved} MiB`,
  },
  {
    name: 'migrations',
    temporary: false,
    refuses: (host, { from }, source) => {
      const none = from === null ? undefined : [host, source].find((one) => one?.slots === 0);
      return none === undefined ? undefined : `${none.name} takes part in no migrations (it has 0 slots)`;
    },
  },
  {
    name: 'slots',
    temporary: true,
    refuses: (host, { from }) =>
      from === null || host.slotsUsed < host.slots
        ? undefined
        : `${host.slotsUsed} of its ${host.slots} migration slots are in use`,
  },
  {
    name: 'source-slots',
    temporary: true,
    refuses: (_host, _request, source) =>
      source === undefined || source.slotsUsed < source.slots
        ? undefined
        : `${source.slotsUsed} of ${source.slots} migration slots of the source ${source.name} are in use`,
  },
];

/** The best host first: most free memory, then most free vCPUs, then by name. */
const weigh = (one: Host, other: Host): number =>
  freeMemory(other) - freeMemory(one) ||
  freeVcpus(other) - freeVcpus(one) ||
  (one.name < other.name ? -1 : 1);

export function place(hosts: readonly Host[], request: PlacementRequest): Placement {
  const source = hosts.find((host) => host.name === request.from);
  const candidates: Host[] = [];
  const rejected: Rejection[] = [];
  for (const host of hosts) {
    if (request.host !== null && host.name !== request.host) continue;
    const rejection = firstRejection(host, request, source);
    if (rejection === undefined) candidates.push(host);
    else rejected.push(rejection);
  }
  return { candidates: candidates.toSorted(weigh), rejected };
}

function firstRejection(
  host: Host,
  request: PlacementRequest,
  source: Host | undefined,
): Rejection | undefined {
  for (const { name, temporary, ...filter } of filters) {
    const reason = filter.refuses(host, request, source);
    if (reason !== undefined) return { host: host.name, filter: name, reason, temporary };
  }
  return undefined;
}

/** The error for a placement without a candidate: every host with its reason. Waiting can help only for NoMigrationSlot. */
export function noHost(
  instance: string,
  request: PlacementRequest,
  rejected: readonly Rejection[],
): DroverError {
  const waiting = rejected.some((rejection) => rejection.temporary);
  const what = `${instance} (${cpus(request.vcpus)}, ${request.memoryMiB} MiB)`;
  const first = waiting ? `no migration slot is free for ${what}` : `no host can take ${what}`;
  const lines = rejected.map(({ host, reason }) => `  ${host}: ${reason}`);
  const message = lines.length === 0 ? `${first}: there is no host` : `${first}:\n${lines.join('\n')}`;
  return new DroverError(waiting ? 'NoMigrationSlot' : 'NoValidHost', message, {
    details: { rejections: rejected },
  });
}
