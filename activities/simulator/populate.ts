/** Hosts and guests for a datacenter that has none yet, or more of them. */
import type { Tx } from './database.js';
import { defaultDirty, serialLogOf } from './define.js';
import { fileOn, putFile } from './files.js';
import { guestBootMs } from './guests.js';
import { addHost, allHosts, imageDirectory, localDirectory, sharedDirectory, uuidOf } from './hosts.js';

export interface Population {
  hosts: number;
  instances: number;
  racks: number;
  /** Racks are spread over them; default 1. */
  zones?: number;
  /** Of processors, spread over the hosts of each rack; default 1. */
  generations?: number;
  /** Which part of the guests has its disk on its host's own storage; default a quarter. */
  local?: number;
}

const gib = 1024 ** 3;
const roles = ['web', 'db', 'app', 'cache'] as const;
const sizes = [
  { vcpus: 1, memoryMiB: 1024, diskGiB: 8 },
  { vcpus: 2, memoryMiB: 4096, diskGiB: 20 },
  { vcpus: 2, memoryMiB: 2048, diskGiB: 10 },
  { vcpus: 1, memoryMiB: 2048, diskGiB: 8 },
] as const;

/** Shared images for launching. */
export const shippedImages = [
  { path: `${imageDirectory}/debian-12.qcow2`, bytes: 3 * gib, allocated: gib / 2 },
  { path: `${imageDirectory}/ubuntu-24.04.qcow2`, bytes: 4 * gib, allocated: gib },
] as const;

/** Adds them, named on from what is there; answers the names of the new hosts. */
export function populate(
  tx: Tx,
  datacenter: string,
  wanted: Population,
): { hosts: string[]; guests: string[] } {
  const before = allHosts(tx).length;
  const hosts = Array.from({ length: wanted.hosts }, (_, index) => `host-${before + index + 1}`);
  hosts.forEach((name, index) => {
    const number = (before + index) % wanted.racks;
    const zone = `zone-${(number % (wanted.zones ?? 1)) + 1}`;
    const generation = (Math.floor((before + index) / wanted.racks) % (wanted.generations ?? 1)) + 1;
    const size = { vcpus: 32, memoryMiB: 131_072 };
    addHost(tx, datacenter, { name, rack: `rack-${number + 1}`, zone, generation, ...size });
  });
  const [first] = hosts;
  if (first !== undefined) putImages(tx, first);
  const homes = hosts.length > 0 ? hosts : allHosts(tx).map((host) => host.name);
  const guests = Array.from({ length: wanted.instances }, (_, index) =>
    addGuest(tx, datacenter, homes[index % homes.length] ?? '', index, wanted.local ?? 0.25),
  );
  return { hosts, guests };
}

export function putImages(tx: Tx, host: string): void {
  for (const image of shippedImages) {
    if (fileOn(tx, host, image.path) === undefined)
      putFile(tx, host, { ...image, format: 'qcow2', refers_to: null });
  }
}

/** A guest that runs since a while. */
function addGuest(tx: Tx, datacenter: string, host: string, index: number, local: number): string {
  const role = roles[index % roles.length] ?? 'web';
  const size = sizes[index % sizes.length] ?? sizes[0];
  const name = `${role}-${next(tx, role)}`;
  const id = uuidOf(`${datacenter}/guest/${name}`);
  const every = local > 0 ? Math.round(1 / local) : Infinity;
  // Spread by blocks of hosts, so that every host has some of each kind.
  const onHost = Number.isFinite(every) && (index + Math.floor(index / every)) % every === every - 1;
  const path = `${onHost ? localDirectory : sharedDirectory}/${name}.qcow2`;
  const bytes = size.diskGiB * gib;
  putFile(tx, host, { path, format: 'qcow2', bytes, allocated: Math.round(bytes / 4), refers_to: null });
  tx.run(
    `insert into guests (host, id, name, power, reason, persistent, vcpus, memory_mib, disks, serial_log, dirty, boots, booted_at)
     values (?, ?, ?, 'running', 'booted', 1, ?, ?, ?, ?, ?, 1, ?)`,
    host,
    id,
    name,
    size.vcpus,
    size.memoryMiB,
    JSON.stringify([{ target: 'vda', path, format: 'qcow2', readonly: false }]),
    serialLogOf(name),
    defaultDirty,
    tx.now - 10 * guestBootMs,
  );
  return name;
}

/** The next number of a kind of name; a number is never given twice. */
function next(tx: Tx, name: string): number {
  const [row] = tx.all<{ value: number }>(
    'insert into counters (name, value) values (?, 1) on conflict do update set value = value + 1 returning value',
    name,
  );
  return row?.value ?? 1;
}
