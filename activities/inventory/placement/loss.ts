/**
 * Where the guests of lost hosts would go: a pure function over a snapshot, with the filters and weighers of claims, in the
 * order of a recovery. What it says is what a recovery would do, and no better packing that somebody might find.
 */
import type { HaPolicy } from '../../../model/incident.js';
import type { GroupPolicy, Rejection } from '../../../model/host.js';
import { place } from './place.js';
import type { Candidate, Group, Strategy } from './request.js';
import { storeOf } from './storage.js';

/** An instance, as far as its evacuation would need room. */
export interface Guest {
  id: string;
  name: string;
  host: string;
  ha: HaPolicy;
  vcpus: number;
  memoryMiB: number;
  /** Paths of the disks that it writes. */
  disks: readonly string[];
  cpuMode: string | null;
  networks: readonly string[] | null;
  group: string | null;
}

export interface Snapshot {
  hosts: readonly Candidate[];
  /** In the order in which a recovery brings them back. */
  guests: readonly Guest[];
  groups: ReadonlyMap<string, GroupPolicy>;
  strategy: Strategy;
}

export interface Loss {
  lost: string[];
  placed: { instance: string; name: string; ha: HaPolicy; from: string; to: string; reserved: boolean }[];
  unplaced: {
    instance: string;
    name: string;
    ha: HaPolicy;
    from: string;
    size: string;
    rejections: Rejection[];
  }[];
  /** Whose policy is never: they need no room elsewhere. */
  staying: { instance: string; name: string; from: string }[];
}

export function lossOf(snapshot: Snapshot, lost: readonly string[]): Loss {
  const gone = new Set(lost);
  const hosts = new Map(
    snapshot.hosts.filter(({ name }) => !gone.has(name)).map((host) => [host.name, { ...host }]),
  );
  const where = new Map(snapshot.guests.map((guest) => [guest.id, gone.has(guest.host) ? null : guest.host]));
  const members = membersOf(snapshot);
  const sources = new Map(snapshot.hosts.map((host) => [host.name, host]));
  const loss: Loss = { lost: [...lost], placed: [], unplaced: [], staying: [] };
  for (const guest of snapshot.guests) {
    if (!gone.has(guest.host)) continue;
    const { id: instance, name, ha, host: from } = guest;
    if (ha === 'never') {
      loss.staying.push({ instance, name, from });
      continue;
    }
    const { candidates, rejected } = place([...hosts.values()], {
      vcpus: guest.vcpus,
      memoryMiB: guest.memoryMiB,
      host: null,
      exclude: [],
      from: null,
      lost: from,
      reserved: ha !== 'best-effort',
      source: sources.get(from),
      strategy: snapshot.strategy,
      subject: { ...guest, group: groupOf(guest, snapshot, members, where) },
    });
    const own = ownDisk(snapshot, guest, sources.get(from));
    const to = own === undefined ? candidates[0] : undefined;
    if (to === undefined) {
      const size = `${guest.vcpus} vCPUs, ${guest.memoryMiB} MiB`;
      loss.unplaced.push({
        instance,
        name,
        ha,
        from,
        size,
        rejections: own === undefined ? rejected : [own],
      });
      continue;
    }
    hosts.set(to.name, {
      ...to,
      vcpusUsed: to.vcpusUsed + guest.vcpus,
      memoryMiBUsed: to.memoryMiBUsed + guest.memoryMiB,
    });
    where.set(instance, to.name);
    loss.placed.push({ instance, name, ha, from, to: to.name, reserved: to.reserved });
  }
  return loss;
}

/** Where stores are declared at all, what lies in none of them is the host's own, and lost with it. */
function ownDisk(
  { hosts }: Snapshot,
  { disks }: Guest,
  source: Candidate | undefined,
): Rejection | undefined {
  if (source === undefined || hosts.every(({ storage }) => Object.keys(storage).length === 0))
    return undefined;
  const path = disks.find((disk) => storeOf(source, disk) === undefined);
  if (path === undefined) return undefined;
  const reason = `${path} lies in no shared store that it declares: it is lost with the host`;
  return { host: source.name, filter: 'storage', reason, temporary: false };
}

function membersOf({ guests }: Snapshot): Map<string, Guest[]> {
  const members = new Map<string, Guest[]>();
  for (const guest of guests) {
    if (guest.group === null) continue;
    members.set(guest.group, [...(members.get(guest.group) ?? []), guest]);
  }
  return members;
}

/** The others of its group, where they are by then; those that wait for room are nowhere. */
function groupOf(
  { id, group }: Guest,
  { groups }: Snapshot,
  members: Map<string, Guest[]>,
  where: Map<string, string | null>,
): Group | null {
  const policy = group === null ? undefined : groups.get(group);
  if (group === null || policy === undefined) return null;
  const others = (members.get(group) ?? []).flatMap((member) => {
    const host = where.get(member.id) ?? null;
    return member.id === id || host === null ? [] : [{ name: member.name, hosts: [host] }];
  });
  return { name: group, policy, members: others };
}
