import type { Flavor } from '../../model/instance.js';
import type { GuestView } from '../hypervisor/port.js';
import type { Adoption } from './instances.js';
import { epochMargin } from './restored.js';

/** What the inventory writes of a guest that it takes in as it is. */
export function adoptionOf(guest: GuestView, host: string, flavors: readonly Flavor[]): Adoption {
  const { id, name, power, vcpus, memoryMiB, disks, managedSave, cpuMode, networks, stamp, definition } =
    guest;
  const flavor = flavors.find((one) => one.vcpus === vcpus && one.memoryMiB === memoryMiB);
  const state =
    power === 'running' ? 'active' : power === 'paused' ? 'paused' : managedSave ? 'suspended' : 'stopped';
  return {
    id,
    name,
    host,
    state,
    powerState: power,
    flavor: flavor?.name ?? null,
    vcpus,
    memoryMiB,
    disks,
    metadata: {},
    epoch: stamp === null ? 0 : stamp.epoch + epochMargin,
    cpuMode,
    networks,
    definition,
  };
}
