/** The only place that names drivers: which hypervisor drives a host is told by the scheme of its address. */
import { systemClock } from '../activities/clock.js';
import { createLibvirt } from '../activities/hypervisor/libvirt/index.js';
import type { Hypervisor } from '../activities/hypervisor/port.js';
import { routeHypervisor } from '../activities/hypervisor/route.js';
import { openDatacenters, type Datacenters } from '../activities/simulator/folder.js';
import { createSimulatedHypervisor, simulatorCapabilities } from '../activities/simulator/hypervisor.js';
import { datacenterOf } from '../model/addresses.js';

export interface Ports {
  hypervisor: Hypervisor;
  /** The simulated ones of the data folder. */
  datacenters: Datacenters;
  close(): void;
}

export function openPorts({ dataDir }: { dataDir: string }): Ports {
  const libvirt = createLibvirt();
  const datacenters = openDatacenters(dataDir, systemClock);
  const simulated = new Map<string, Hypervisor>();

  function driverOf(uri: string): Hypervisor {
    const name = datacenterOf(uri);
    if (name === null) return libvirt;
    const driver = simulated.get(name) ?? createSimulatedHypervisor(datacenters.get(name));
    simulated.set(name, driver);
    return driver;
  }
  const both = new Set(simulatorCapabilities.filter((capability) => libvirt.capabilities.has(capability)));
  return {
    hypervisor: routeHypervisor(both, (host) => driverOf(host.uri)),
    datacenters,
    close: () => datacenters.close(),
  };
}

/** For a command, which ends soon anyway. */
export const hypervisor = (dataDir: string): Hypervisor => openPorts({ dataDir }).hypervisor;
