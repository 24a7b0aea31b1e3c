/** Makes a simulated datacenter, or more of it, and takes its hosts and guests into the inventory. */
import { adoptionOf } from '../activities/inventory/adoption.js';
import { adoptMany } from '../activities/inventory/adopt-many.js';
import { addHost, recordProbe, requireSameKind } from '../activities/inventory/hosts.js';
import type { GuestView } from '../activities/hypervisor/port.js';
import { listFlavors } from '../activities/inventory/flavors.js';
import type { Adoption } from '../activities/inventory/instances.js';
import type { Datacenter } from '../activities/simulator/datacenter.js';
import { giveFault } from '../activities/simulator/faults.js';
import { createSimulatedHypervisor } from '../activities/simulator/hypervisor.js';
import { findHost, sharedDirectory } from '../activities/simulator/hosts.js';
import { populate, type Population } from '../activities/simulator/populate.js';
import type { Context } from './context.js';

export interface Created {
  datacenter: string;
  hosts: { name: string; uri: string; rack: string; zone: string }[];
  instances: number;
}

/** What a simulated host keeps for itself, and takes beside what it has. */
const settings = { cpuOvercommit: 4, memoryMiBReserved: 512 };

/** Hosts of it lose their power. */
export const crashHosts = (datacenter: Datacenter, hosts: string[]): Promise<void> =>
  datacenter.transact((tx) => giveFault(tx, { do: 'crash', hosts }));

export async function createSimulation(
  { inventory }: Pick<Context, 'inventory'>,
  datacenter: Datacenter,
  /** `slots`: live migrations, in and out, that each host may run at a time. */
  { slots = 2, ...wanted }: Population & { slots?: number },
): Promise<Created> {
  const refOf = (name: string) => ({ name, uri: `sim://${datacenter.name}/${name}` });
  await requireSameKind(inventory, refOf('host-1'));
  const hosts = await datacenter.transact((tx) =>
    populate(tx, datacenter.name, wanted).hosts.map((name) => {
      const { rack = '', zone = '' } = findHost(tx, name) ?? {};
      return { ...refOf(name), rack, zone };
    }),
  );
  const hypervisor = createSimulatedHypervisor(datacenter);
  const adoptions: Adoption[] = [];
  const flavors = await listFlavors(inventory);
  for (const { rack, zone, ...host } of hosts) {
    await addHost(inventory, {
      ...host,
      ...settings,
      slots,
      labels: { rack, zone },
      zone,
      storage: { shared: sharedDirectory },
    });
    await recordProbe(inventory, host.name, { up: true, facts: await hypervisor.facts(host) });
    const guests: GuestView[] = await hypervisor.list(host);
    adoptions.push(...guests.map((guest) => adoptionOf(guest, host.name, flavors)));
  }
  const instances = await adoptMany(inventory, adoptions);
  return { datacenter: datacenter.name, hosts, instances };
}
