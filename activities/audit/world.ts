/** Everything that an audit compares, read once and indexed: what is recorded, and what was seen. */
import type { SeenFile, SeenFiles, SeenGuest, SeenHost } from '../../model/audit.js';
import type { Instance } from '../../model/instance.js';

export interface Allocation {
  id: string;
  instance: string;
  host: string;
  operation: string | null;
  vcpus: number;
  memoryMiB: number;
  slots: number;
  /** Its operation still runs, or its release is still an open intent. */
  awaited: boolean;
}

export interface Usage {
  vcpus: number;
  memoryMiB: number;
  slots: number;
}

export interface WorldInput {
  /** Those that are not deleted. */
  instances: readonly Instance[];
  /** Names of deleted ones by id, as far as guests or files of them may be there. */
  deleted: ReadonlyMap<string, { name: string; keepsDisks: boolean }>;
  /** Instances that nobody should judge now, with the reason. */
  skipped: ReadonlyMap<string, string>;
  allocations: readonly Allocation[];
  groups: ReadonlyMap<string, string>;
  /** What is counted as in use on each host. */
  usage: ReadonlyMap<string, Usage>;
  /** Those of the operations whose stamps are on guests that the inventory has a record of. */
  operations: ReadonlySet<string>;
  /** Every host of the inventory; one that was not looked at is `silent`, too. */
  hosts: ReadonlyMap<string, SeenHost>;
}

export interface Sighting {
  host: string;
  guest: SeenGuest;
}

export interface World extends WorldInput {
  byId: ReadonlyMap<string, Instance>;
  /** Where the guests are, by id. */
  sightings: ReadonlyMap<string, readonly Sighting[]>;
}

export function worldOf(input: WorldInput): World {
  const sightings = new Map<string, Sighting[]>();
  for (const [host, seen] of input.hosts) {
    if (seen.state === 'silent') continue;
    for (const guest of seen.guests) {
      const there = sightings.get(guest.id) ?? [];
      there.push({ host, guest });
      sightings.set(guest.id, there);
    }
  }
  return { ...input, byId: new Map(input.instances.map((one) => [one.id, one])), sightings };
}

export const answered = (world: World, host: string): boolean => world.hosts.get(host)?.state === 'answered';

export const filesOf = (world: World, host: string): SeenFiles | null => {
  const seen = world.hosts.get(host);
  return seen?.state === 'answered' ? seen.files : null;
};

export const isOff = ({ power }: Pick<SeenGuest, 'power'>): boolean =>
  power === 'shutoff' || power === 'crashed';
export const isLive = ({ power }: Pick<SeenGuest, 'power'>): boolean =>
  power === 'running' || power === 'paused';

/** The hosts that did not answer, for sentences. */
export function silentHosts(world: World): string[] {
  return [...world.hosts].filter(([, seen]) => seen.state === 'silent').map(([host]) => host);
}

/** The file that a host sees at a path: null where nobody looked, undefined where there is none. */
export function fileAt(world: World, host: string, path: string): SeenFile | null | undefined {
  const files = filesOf(world, host);
  if (files === null) return null;
  return [...files.disks, ...files.found].find((file) => file.path === path);
}

export function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}
