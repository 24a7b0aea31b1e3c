/** The only place that names drivers: which hypervisor drives a host is told by the scheme of its address. */
import { systemClock, type Clock } from '../activities/clock.js';
import { createAgents } from '../activities/fencing/agents.js';
import type { Fencing } from '../activities/fencing/port.js';
import { routeFencing } from '../activities/fencing/route.js';
import { createLibvirt } from '../activities/hypervisor/libvirt/index.js';
import type { Hypervisor } from '../activities/hypervisor/port.js';
import { routeHypervisor } from '../activities/hypervisor/route.js';
import { createSimulatedFencing } from '../activities/simulator/bmc.js';
import { createSimulatedDisks } from '../activities/simulator/disks.js';
import type { Datacenter } from '../activities/simulator/datacenter.js';
import { openDatacenters, type Datacenters } from '../activities/simulator/folder.js';
import { createSimulatedHostActivities } from '../activities/simulator/host-activities.js';
import { createSimulatedHypervisor, simulatorCapabilities } from '../activities/simulator/hypervisor.js';
import { createSimulatedReach } from '../activities/simulator/vantage.js';
import type { DiskActivities, HostActivities, Implement, VantageActivities } from '../activities/types.js';
import type { FencingConfig } from '../model/fence-devices.js';
import { createVantageActivities } from '../activities/vantage/activities.js';
import { reachFromHere } from '../activities/vantage/reach.js';
import { datacenterOf } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';

export interface Ports {
  hypervisor: Hypervisor;
  fencing: Fencing;
  /** The simulated ones of the data folder. */
  datacenters: Datacenters;
  /** What the workers of a datacenter's hosts do. */
  hostWork(datacenter: string): Implement<DiskActivities & HostActivities>;
  /** What a vantage point of a datacenter does. */
  vantageWork(datacenter: string, vantage: string): Implement<VantageActivities>;
  close(): void;
}

/** `clock`: that of the simulated datacenters, where their time goes faster. */
export function openPorts({
  dataDir,
  fencing = { hosts: {}, countSelfFence: false },
  clock = systemClock,
}: {
  dataDir: string;
  /** The fence devices of real hosts; without it they have none. */
  fencing?: Pick<FencingConfig, 'hosts' | 'countSelfFence'>;
  clock?: Clock;
}): Ports {
  const libvirt = createLibvirt();
  const datacenters = openDatacenters(dataDir, clock);
  const agents = createAgents({ config: fencing });
  const drivers = new Map<string, Hypervisor>();

  function driverOf(uri: string): Hypervisor {
    const name = datacenterOf(uri);
    if (name === null) return libvirt;
    const driver = drivers.get(name) ?? createSimulatedHypervisor(found(datacenters, name));
    drivers.set(name, driver);
    return driver;
  }
  const both = new Set(simulatorCapabilities.filter((capability) => libvirt.capabilities.has(capability)));
  return {
    hypervisor: routeHypervisor(both, (host) => driverOf(host.uri)),
    fencing: routeFencing(({ uri }) => {
      const name = datacenterOf(uri);
      return name === null ? agents : createSimulatedFencing(found(datacenters, name));
    }),
    datacenters,
    hostWork: (datacenter) => ({
      ...createSimulatedDisks(datacenters.get(datacenter)),
      ...createSimulatedHostActivities(datacenters.get(datacenter)),
    }),
    vantageWork: (datacenter, vantage) =>
      createVantageActivities({
        vantage,
        reach: createSimulatedReach(datacenters.get(datacenter), vantage),
        clock,
      }),
    close: () => datacenters.close(),
  };
}

/** A datacenter that is not there (yet) is as silent as a host: `NotFound` would speak of a guest. */
function found(datacenters: Datacenters, name: string): Datacenter {
  try {
    return datacenters.get(name);
  } catch (error) {
    if (!(error instanceof DroverError) || error.code !== 'NotFound') throw error;
    const { message, details, hint } = error;
    throw new DroverError('HypervisorUnreachable', message, { details, hint, cause: error });
  }
}

/** What a vantage point on this machine does: it looks at real hosts. */
export const vantageHere = (vantage: string): Implement<VantageActivities> =>
  createVantageActivities({ vantage, reach: reachFromHere(createLibvirt()), clock: systemClock });

/** For a command, which ends soon anyway. */
export const hypervisor = (dataDir: string): Hypervisor => openPorts({ dataDir }).hypervisor;
