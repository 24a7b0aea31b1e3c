/** Guests of the simulated datacenter that the inventory knows, too. */
import type { Tx } from '../activities/simulator/database.js';
import type { Datacenter } from '../activities/simulator/datacenter.js';
import { fileOn, putFile } from '../activities/simulator/files.js';
import { disksOf, endGuest, guestOn } from '../activities/simulator/guests.js';
import { localDirectory, sharedDirectory } from '../activities/simulator/hosts.js';
import { createSimulatedHypervisor } from '../activities/simulator/hypervisor.js';
import { transact, type Inventory } from '../activities/inventory/database.js';
import { adoptInstance } from '../activities/inventory/instances.js';
import type { HostRef } from '../model/host.js';
import { toJson } from '../activities/inventory/rows.js';
import type { Disk, InstanceState, PowerState, Saved } from '../model/instance.js';

export interface NewGuest {
  id: string;
  name: string;
  on: HostRef;
  state: Extract<InstanceState, 'active' | 'paused' | 'suspended' | 'stopped'>;
  vcpus: number;
  memoryMiB: number;
  diskGiB: number;
  /** Its disk is on its host's own storage; or only a second one is. */
  local: boolean;
  mixed?: boolean;
  serverGroup?: string | undefined;
}

const powers: Record<NewGuest['state'], PowerState> = {
  active: 'running',
  paused: 'paused',
  suspended: 'shutoff',
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
  const second = `${localDirectory}/${name}.qcow2`;
  const paths = guest.mixed === true ? [path, second] : [path];
  const disks = paths.map((each, index): Disk => ({
    target: index === 0 ? 'vda' : 'vdb',
    path: each,
    format: 'qcow2',
    readonly: false,
  }));
  const bytes = diskGiB * gib;
  const hypervisor = createSimulatedHypervisor(datacenter);
  await datacenter.transact((tx) => {
    for (const each of paths) {
      if (fileOn(tx, on.name, each) === undefined)
        putFile(tx, on.name, { path: each, format: 'qcow2', bytes, allocated: bytes / 4, refers_to: null });
    }
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
  const saved = state === 'suspended' ? await datacenter.transact((tx) => save(tx, on.name, id)) : null;
  const seen = await hypervisor.look(on, id);
  await adoptInstance(inventory, {
    id,
    definition: seen?.definition,
    name,
    state,
    flavor: null,
    vcpus,
    memoryMiB,
    disks,
    metadata: {},
    cpuMode: 'host-model',
    networks: [],
    serverGroup: guest.serverGroup,
    host: on.name,
    powerState: powers[state],
  });
  if (saved !== null) {
    await transact(inventory, (trx) =>
      trx
        .updateTable('instances')
        .set({ saved: toJson(saved) })
        .where('id', '=', id)
        .execute(),
    );
  }
}

/** Its memory goes to its host's disk, as long ago as all else of it. */
function save(tx: Tx, host: string, id: string): Saved {
  const guest = guestOn(tx, host, id);
  if (guest === undefined) throw new Error(`${host} has no guest ${id}`);
  endGuest(tx, guest, 'saved');
  tx.run('update guests set managed_save = 1 where host = ? and id = ?', host, id);
  const disks = disksOf(guest).flatMap(({ path }) => fileOn(tx, host, path) ?? []);
  return {
    host,
    at: new Date(tx.now).toISOString(),
    disks: disks.map(({ path, bytes, modified_at }) => ({
      path,
      bytes,
      modifiedAt: new Date(modified_at).toISOString(),
    })),
  };
}
