/** Guests and images for the cases, the same in virtual time and for a real Temporal server. */
import { fileOn, putFile } from '../../activities/simulator/files.js';
import {
  addHost,
  imageDirectory,
  localDirectory,
  requireHost,
  sharedDirectory,
} from '../../activities/simulator/hosts.js';
import { putHost, recordProbe } from '../../activities/inventory/hosts.js';
import { adoptGuest, type NewGuest } from '../../virtual/guests.js';
import type { HostRef } from '../../model/host.js';
import type { Case, Given, Place, World } from './case.js';

/** Enough for thousands of guests. */
const size = { vcpus: 100_000, memoryMiB: 400_000_000 };
export const image = `${imageDirectory}/small.qcow2`;
export const directories = { local: localDirectory, shared: sharedDirectory };

export async function addRoomyHost(world: World, name: string): Promise<HostRef> {
  const { datacenter, inventory } = world;
  const ref = { name, uri: `sim://${datacenter.name}/${name}` };
  const systemUuid = await datacenter.transact((tx) => {
    addHost(tx, datacenter.name, { name, rack: 'rack-1', zone: 'zone-1', ...size });
    if (fileOn(tx, name, image) === undefined)
      putFile(tx, name, {
        path: image,
        format: 'qcow2',
        bytes: 2 ** 28,
        allocated: 2 ** 24,
        refers_to: null,
      });
    return requireHost(tx, name).system_uuid;
  });
  await putHost(inventory, { ...ref, slots: 10_000, cpuOvercommit: 1, memoryMiBReserved: 0, labels: {} });
  const facts = { hostname: name, systemUuid, hypervisor: 'simulated', ...size };
  await recordProbe(inventory, name, { up: true, facts });
  return ref;
}

/** A small guest, so that moving it takes no time: on the first host unless it is said. */
export async function adopt(
  place: Place,
  options: { name?: string; on?: HostRef; state?: NewGuest['state']; local?: boolean } = {},
): Promise<string> {
  const { name = place.name, on = place.hosts[0], state = 'active', local = false } = options;
  const id = place.uuid();
  const guest = { id, name, on, state, local, vcpus: 1, memoryMiB: 128, diskGiB: 1 };
  await adoptGuest(place.datacenter, place.inventory, guest);
  return id;
}

/** A case of an instance that is there already. */
export function onInstance(
  title: string,
  its: {
    guest?: Parameters<typeof adopt>[1];
    input?: (place: Place) => Record<string, unknown>;
    well: NonNullable<Given['instance']>['well']['state'];
    /** Default: the first. */
    host?: 0 | 1 | 2 | null;
    keptDisks?: boolean;
    more?: (place: Place) => Promise<void>;
  } & Pick<Case, 'fails'>,
): Case {
  return {
    title,
    ...(its.fails === undefined ? {} : { fails: its.fails }),
    async setUp(place) {
      const id = await adopt(place, its.guest);
      await its.more?.(place);
      const { well, host = 0, keptDisks = false } = its;
      const end = { state: well, host: host === null ? null : place.hosts[host] };
      return {
        input: { instance: id, ...its.input?.(place) },
        instance: { id, well: end, else: its.guest?.state ?? 'active', keptDisks },
      };
    },
  };
}
