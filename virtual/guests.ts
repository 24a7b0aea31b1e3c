/** Guests of the simulated datacenter that the inventory knows, too. */
import type { Datacenter } from '../activities/simulator/datacenter.js';
import { fileOn, putFile } from '../activities/simulator/files.js';
import { localDirectory, sharedDirectory } from '../activities/simulator/hosts.js';
import { createSimulatedHypervisor } from '../activities/simulator/hypervisor.js';
import type { Inventory } from '../activities/inventory/database.js';
import { adoptInstance } from '../activities/inventory/instances.js';
import type { HostRef } from '../model/host.js';
import type { Disk, InstanceState, PowerState } from '../model/instance.js';

export interface NewGuest {
  id: string;
  name: string;
  on: HostRef;
  state: Extract<InstanceState, 'active' | 'paused' | 'stopped'>;
  vcpus: number;
  memoryMiB: number;
  diskGiB: number;
  /** Its disk is on its host's own storage. */
  local: boolean;
}

const powers: Record<NewGuest['state'], PowerState> = {
  active: 'running',
  paused: 'paused',
  stopped: 'shutoff',
};
const gib = 1024 ** 3;
const nobody = { instance: '', operation: '', epoch: 0 };

/** A guest that somebody made, and that was adopted; it has booted long ago. */
export async function adoptGuest(
  datacenter: Datacenter,
  inventory: Inventory,
  guest: NewGuest,
): Promise<void> {
  const { id, name, on, state, vcpus, memoryMiB, diskGiB, local } = guest;
  const path = `${local ? localDirectory : sharedDirectory}/${name}.qcow2`;
  const disks: Disk[] = [{ target: 'vda', path, format: 'qcow2', readonly: false }];
  const bytes = diskGiB * gib;
  const hypervisor = createSimulatedHypervisor(datacenter);
  await datacenter.transact((tx) => {
    if (fileOn(tx, on.name, path) === undefined)
      putFile(tx, on.name, { path, format: 'qcow2', bytes, allocated: bytes / 4, refers_to: null });
  });
  await hypervisor.define(on, { id, name, vcpus, memoryMiB, disks, bridges: [] }, nobody);
  if (state !== 'stopped') await hypervisor.start(on, id);
  if (state === 'paused') await hypervisor.pause(on, id);
  await datacenter.transact((tx) =>
    tx.run(
      `update guests set stamp_operation = null, stamp_epoch = null, boots = 0, booted_at = 0
         where host = ? and id = ?`,
      on.name,
      id,
    ),
  );
  await adoptInstance(inventory, {
    id,
    name,
    state,
    flavor: null,
    vcpus,
    memoryMiB,
    disks,
    metadata: {},
    host: on.name,
    powerState: powers[state],
  });
}
