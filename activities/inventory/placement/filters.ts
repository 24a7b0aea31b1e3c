/** Which hosts can't take it, and why: one sentence each, with the figures. */
import type { Rejection } from '../../../model/host.js';
import { cpuRefusal } from './cpu.js';
import { groupRefusal } from './group.js';
import type { Candidate, Wanted } from './request.js';
import { cpus, freeMemory, freeVcpus, memoryCapacity, vcpuCapacity } from './rooms.js';
import { hasStore, storeOf } from './storage.js';

interface Filter {
  name: string;
  /** True when waiting can help. Such filters come last: a host that they refuse has passed all others. */
  temporary?: true;
  /** The reason to refuse the host, undefined to let it pass. */
  refuses: (host: Candidate, wanted: Wanted) => string | undefined;
}

export const filters: readonly Filter[] = [
  {
    name: 'source',
    refuses: (host, { from }) => (host.name === from ? 'the instance is there now' : undefined),
  },
  {
    name: 'excluded',
    refuses: (host, { exclude }) => (exclude.includes(host.name) ? 'excluded by the request' : undefined),
  },
  {
    name: 'fence',
    refuses: ({ fence }) =>
      fence === null ? undefined : `it is fenced since ${fence.at}, and not readmitted yet`,
  },
  {
    name: 'enabled',
    refuses: (host) =>
      host.enabled ? undefined : `disabled${host.disabledReason === null ? '' : `: ${host.disabledReason}`}`,
  },
  {
    name: 'maintenance',
    refuses: ({ maintenance: now }) =>
      now === null ? undefined : `in maintenance until ${now.until} by ${now.by}: ${now.reason}`,
  },
  {
    name: 'state',
    refuses: (host) =>
      host.state === 'up' ? undefined : `its state is unknown: ${host.stateReason ?? 'it does not answer'}`,
  },
  {
    name: 'reserved',
    refuses: ({ reserved }, wanted) =>
      reserved && wanted.reserved !== true
        ? 'it is reserved for what has an HA priority and is evacuated from lost hosts'
        : undefined,
  },
  {
    name: 'zone',
    refuses: (host, { zone }) =>
      zone === undefined || zone === null || host.zone === zone
        ? undefined
        : `it is in ${host.zone === null ? 'no zone' : `the zone ${host.zone}`}, not in ${zone}`,
  },
  { name: 'labels', refuses: labels },
  { name: 'group', refuses: ({ name }, { subject }) => groupRefusal(name, subject.group) },
  { name: 'cpu', refuses: cpuRefusal },
  { name: 'networks', refuses: networks },
  { name: 'storage', refuses: storage },
  {
    name: 'vcpus',
    refuses: (host, { vcpus }) =>
      vcpus <= freeVcpus(host)
        ? undefined
        : `needs ${cpus(vcpus)}, ${Math.max(0, freeVcpus(host))} free of ${vcpuCapacity(host)} (${host.vcpus} × ${host.cpuOvercommit})`,
  },
  {
    name: 'memory',
    refuses: (host, { memoryMiB }) =>
      memoryMiB <= freeMemory(host)
        ? undefined
        : `needs ${memoryMiB} MiB, ${Math.max(0, freeMemory(host))} MiB free of ${memoryCapacity(host)} MiB`,
  },
  {
    name: 'migrations',
    refuses: (host, { from, source }) => {
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
    refuses: (_host, { from, source }) =>
      from === null || source === undefined || source.slotsUsed < source.slots
        ? undefined
        : `${source.slotsUsed} of ${source.slots} migration slots of the source ${source.name} are in use`,
  },
];

/** The first filter that refuses the host. */
export function rejectionOf(host: Candidate, wanted: Wanted): Rejection | undefined {
  for (const { name, temporary = false, refuses } of filters) {
    const reason = refuses(host, wanted);
    if (reason !== undefined) return { host: host.name, filter: name, reason, temporary };
  }
  return undefined;
}

function labels(host: Candidate, { where = {} }: Wanted): string | undefined {
  for (const [key, value] of Object.entries(where)) {
    const has = host.labels[key];
    if (has === undefined) return `it has no label ${key} (wanted: ${key}=${value})`;
    if (has !== value) return `its label ${key} is ${has}, not ${value}`;
  }
  return undefined;
}

/** What nobody has looked at passes: the hypervisor checks it again. */
function networks(host: Candidate, { subject }: Wanted): string | undefined {
  const has = host.networks;
  if (has === null || subject.networks === null) return undefined;
  const missing = subject.networks.filter((name) => !has.includes(name));
  if (missing.length === 0) return undefined;
  return `it has no network or bridge ${missing.join(', ')} (it has ${has.join(', ') || 'none'})`;
}

function storage(host: Candidate, wanted: Wanted): string | undefined {
  const evacuates = wanted.lost !== undefined;
  if ((wanted.storage !== 'shared' && !evacuates) || wanted.source === undefined) return undefined;
  for (const path of wanted.subject.disks) {
    const store = storeOf(wanted.source, path);
    // Nobody can copy from a host that is lost; where nothing is declared the evacuation proves what is shared.
    if (store === undefined && evacuates) continue;
    if (store === undefined)
      return `${path} lies in no shared store that ${wanted.source.name} declares: it would have to be copied`;
    if (!hasStore(host, store))
      return `it declares no shared store ${store.name} at ${store.directory}, where ${path} is`;
  }
  return undefined;
}
