import { createSimulatedHypervisor } from '../../../activities/simulator/hypervisor.js';
import type { Place } from '../case.js';
import { onInstance } from '../place.js';

const toSecond = {
  input: ({ hosts }: { hosts: readonly { name: string }[] }) => ({ host: hosts[1]?.name }),
  host: 1,
} as const;

export const cases = [
  onInstance('on shared storage', { ...toSecond, well: 'active' }),
  onInstance('copying its disk', { ...toSecond, guest: { local: true }, well: 'active' }),
  onInstance('of a paused guest', { ...toSecond, guest: { state: 'paused' }, well: 'paused' }),
  onInstance('to a host that has a guest of its name', {
    ...toSecond,
    host: 0,
    guest: { local: true },
    well: 'active',
    fails: 'HypervisorError',
    // Nobody's of ours: made by hand on that host, on a disk of its own.
    more: namesake,
  }),
];

async function namesake(place: Place): Promise<void> {
  const { hosts, datacenter, name } = place;
  const spec = { id: place.uuid(), name, vcpus: 1, memoryMiB: 128, disks: [], bridges: [] };
  const stamp = { instance: spec.id, operation: 'by hand', epoch: 0 };
  await createSimulatedHypervisor(datacenter).define(hosts[1], spec, stamp);
}
