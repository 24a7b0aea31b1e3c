/** The hosts of a datacenter: what they are, and what is wrong with them. */
import { createHash } from 'node:crypto';
import { DroverError } from '../../model/errors.js';
import { didYouMean } from '../../model/did-you-mean.js';
import type { BmcState } from './bmc-states.js';
import type { Tx } from './database.js';
import { addMount } from './files.js';

export interface HostRow {
  name: string;
  rack: string;
  zone: string;
  vcpus: number;
  memory_mib: number;
  system_uuid: string;
  power: 'on' | 'booting' | 'off';
  /** libvirtd runs. */
  /** libvirtd: 1 runs, 0 is dead, 2 hangs: it takes connections and answers nothing. */
  daemon: number;
  hung: number;
  /** It reaches nobody, and nobody reaches it; its storage is on another network. */
  cut: number;
  /** What each call takes longer. */
  call_ms: number;
  /** Bytes per second that it sends or receives in a migration. */
  link: number;
  boots: number;
  /** Of its processors: see `machine.ts`. */
  generation: number;
  /** JSON: networks and bridges that it has. */
  networks: string;
  /** Its BMC (`bmc.ts`): how it is, whose power it has when it is swapped, and what a liar was asked for last. */
  bmc: BmcState;
  bmc_of: string | null;
  bmc_said: 'on' | 'off' | null;
  /** JSON of `SelfFence`: what the platform itself has armed on it. */
  self_fence: string | null;
}

export interface NewHost {
  name: string;
  rack: string;
  zone: string;
  vcpus: number;
  memoryMiB: number;
  /** Of its processors; default 1. */
  generation?: number | undefined;
}

/** What hosts have: 10 Gbit/s for migrations. */
export const defaultLink = 1_250_000_000;

/** Directories that every new host has: its own images, and two that all hosts share. */
export const localDirectory = '/var/lib/libvirt/images';
export const sharedDirectory = '/srv/shared';
export const imageDirectory = '/images';
const localBytes = 8 * 1024 ** 4;

export function addHost(tx: Tx, datacenter: string, host: NewHost): void {
  if (findHost(tx, host.name) !== undefined) {
    throw new DroverError('AlreadyExists', `datacenter ${datacenter} has a host "${host.name}" already`);
  }
  tx.run(
    `insert into hosts (name, rack, zone, vcpus, memory_mib, system_uuid, link, generation)
     values (?, ?, ?, ?, ?, ?, ?, ?)`,
    host.name,
    host.rack,
    host.zone,
    host.vcpus,
    host.memoryMiB,
    uuidOf(`${datacenter}/host/${host.name}`),
    defaultLink,
    host.generation ?? 1,
  );
  addMount(tx, host.name, localDirectory, { store: `local/${host.name}`, bytes: localBytes });
  addMount(tx, host.name, sharedDirectory, { store: 'shared', bytes: 1024 * localBytes });
  addMount(tx, host.name, imageDirectory, { store: 'images', bytes: localBytes });
}

export const findHost = (tx: Tx, name: string): HostRow | undefined =>
  tx.one<HostRow>('select * from hosts where name = ?', name);

export const allHosts = (tx: Tx): HostRow[] => tx.all<HostRow>('select * from hosts order by name');

export function requireHost(tx: Tx, name: string): HostRow {
  const found = findHost(tx, name);
  if (found !== undefined) return found;
  const meant = didYouMean(
    name,
    allHosts(tx).map((host) => host.name),
  );
  throw new DroverError('NotFound', `the datacenter has no host "${name}"`, {
    details: { host: name },
    hint: meant === undefined ? 'list them with `drover sim status`' : `did you mean "${meant}"?`,
  });
}

/** Whether two hosts reach each other over the network. */
export function areConnected(tx: Tx, one: HostRow, other: HostRow): boolean {
  if (one.cut === 1 || other.cut === 1) return false;
  return tx.one('select 1 from cuts where one = ? and other = ?', one.name, other.name) === undefined;
}

/** Another one at each boot. */
export const bootIdOf = (datacenter: string, { name, boots }: HostRow): string =>
  uuidOf(`${datacenter}/boot/${name}/${boots}`);

/** A UUID that is the same whenever and wherever it is made of the same text. */
export function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
