/** Takes guests into the inventory that run already. Nothing is changed on their host. */
import type { GuestView } from '../activities/hypervisor/port.js';
import { adoptionOf } from '../activities/inventory/adoption.js';
import { listFlavors } from '../activities/inventory/flavors.js';
import { getHostRef, listHosts } from '../activities/inventory/hosts.js';
import { adoptInstance, listInstances, type Adoption } from '../activities/inventory/instances.js';
import type { Inventory } from '../activities/inventory/database.js';
import { didYouMean } from '../model/did-you-mean.js';
import { DroverError, type ErrorRecord } from '../model/errors.js';
import type { Flavor, Instance, InstanceState, PowerState } from '../model/instance.js';

export interface Adopted {
  name: string;
  id: string;
  host: string;
  outcome: 'adopted' | 'would-adopt' | 'already' | 'refused';
  state: InstanceState | null;
  powerState: PowerState;
  error: ErrorRecord | null;
  warnings: string[];
}

export interface AdoptAsk {
  host: string;
  /** The data folder, where simulated hosts are. */
  dataDir: string;
  /** Names or ids of guests; null for all. */
  names: readonly string[] | null;
  dryRun: boolean;
  serverGroup?: string | undefined;
}

/** One answer for each guest. Throws NotFound for a host or guest that isn't there, HypervisorUnreachable. */
export async function adopt(inventory: Inventory, ask: AdoptAsk): Promise<Adopted[]> {
  const host = await getHostRef(inventory, ask.host);
  const { hypervisor } = await import('../worker/ports.js');
  const guests = choose(await hypervisor(ask.dataDir).list(host), ask);
  const flavors = await listFlavors(inventory);
  const answers: Adopted[] = [];
  for (const guest of guests) answers.push(await adoptOne(inventory, guest, ask, flavors));
  return answers;
}

function choose(guests: readonly GuestView[], { host, names }: AdoptAsk): GuestView[] {
  if (names === null) return guests.toSorted((one, other) => one.name.localeCompare(other.name, 'en'));
  return names.map((name) => {
    const guest = guests.find((one) => one.name === name || one.id === name);
    if (guest) return guest;
    const known = guests.map((one) => one.name);
    const meant = didYouMean(name, known);
    throw new DroverError('NotFound', `host ${host} has no guest "${name}"`, {
      details: { host, guests: known },
      hint: meant === undefined ? `its guests are ${known.join(', ') || 'none'}` : `did you mean "${meant}"?`,
    });
  });
}

async function adoptOne(
  inventory: Inventory,
  guest: GuestView,
  ask: AdoptAsk,
  flavors: readonly Flavor[],
): Promise<Adopted> {
  const { name, id, power } = guest;
  const about = { name, id, host: ask.host, powerState: power, error: null, warnings: [] };
  const instances = await listInstances(inventory);
  const known = instances.find((one) => one.id === id);
  if (known && known.host === ask.host) return { ...about, outcome: 'already', state: known.state };
  const refusal = refuse(guest, known, ask.host);
  if (refusal) return { ...about, outcome: 'refused', state: null, error: refusal.toRecord() };
  const adoption = { ...adoptionOf(guest, ask.host, flavors), serverGroup: ask.serverGroup };
  const warnings = [...warn(guest), ...namesakes(guest, instances)];
  if (ask.dryRun) {
    const full = await crowded(inventory, adoption);
    return { ...about, outcome: 'would-adopt', state: adoption.state, warnings: [...warnings, ...full] };
  }
  try {
    const done = await adoptInstance(inventory, adoption);
    return { ...about, outcome: 'adopted', state: adoption.state, warnings: [...warnings, ...done.warnings] };
  } catch (error) {
    if (!(error instanceof DroverError) || !['AlreadyExists', 'NoValidHost'].includes(error.code))
      throw error;
    return { ...about, outcome: 'refused', state: null, error: error.toRecord() };
  }
}

function refuse(
  { name, id, power, reason }: GuestView,
  known: Instance | undefined,
  host: string,
): DroverError | undefined {
  if (known) {
    return new DroverError(
      'AlreadyExists',
      `the inventory has ${id} as instance ${known.name} on ${known.host ?? 'no host'}`,
      {
        details: { instance: id, name: known.name, host: known.host },
        hint: `two copies must never run: look which of the two is right, then remove the other one from its hypervisor`,
      },
    );
  }
  if (power !== 'migrating' && power !== 'unknown') return undefined;
  return new DroverError('WrongState', `guest ${name} on ${host} is ${power} (${reason})`, {
    hint: 'adopt it once it has settled',
  });
}

function warn(guest: GuestView): string[] {
  const { persistent, managedSave, snapshots, checkpoints, disks, stamp } = guest;
  return [
    ...(persistent ? [] : ['its host keeps no definition of it: once it stops, it is gone']),
    ...(managedSave
      ? [
          'its memory was saved, and not by drover: go on from it with virsh start, or throw it away with `drover instance resume --discard-memory`',
        ]
      : []),
    ...(snapshots > 0
      ? [`it has ${snapshots} snapshots at its hypervisor, which may refuse to migrate it`]
      : []),
    ...(checkpoints > 0
      ? [`it has ${checkpoints} backup checkpoints: until they are deleted it can't be migrated`]
      : []),
    ...(disks.length === 0 ? ['it has no disk that drover knows how to handle'] : []),
    ...(stamp ? ['another drover has marked it as its own: make sure that only one manages it'] : []),
  ];
}

/** Names are for people: two of one name can only be told apart by their ids. */
const namesakes = ({ name }: GuestView, instances: readonly Instance[]): string[] =>
  instances
    .filter((one) => one.name === name)
    .map((one) => `${one.id} on ${one.host ?? 'no host'} has the same name: use the ids`);

async function crowded(inventory: Inventory, { host: name, vcpus, memoryMiB }: Adoption): Promise<string[]> {
  const host = (await listHosts(inventory)).find((one) => one.name === name);
  if (!host) return [];
  const memory = host.memoryMiB - host.memoryMiBReserved - host.memoryMiBUsed;
  const cpus = Math.floor(host.vcpus * host.cpuOvercommit) - host.vcpusUsed;
  return memoryMiB > memory || vcpus > cpus
    ? [`host ${name} would be over its capacity: nothing more would be placed there`]
    : [];
}
