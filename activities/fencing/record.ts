/** What was seen of a host's fencing while it lived: `hosts.fence_devices` and `hosts.armed`. */
import {
  armed as armedShape,
  fenceCheck,
  type Armed,
  type DeviceCheck,
  type FenceCheck,
  type SelfFence,
} from '../../model/fence-check.js';
import { read, transact, type Inventory } from '../inventory/database.js';
import { requireHost } from '../inventory/hosts.js';
import { toJson } from '../inventory/rows.js';

export async function recordFenceCheck(
  inventory: Inventory,
  { host, devices, armed }: { host: string; devices: DeviceCheck[]; armed: SelfFence | null },
): Promise<void> {
  const at = inventory.now();
  await transact(inventory, async (trx) => {
    const row = await requireHost(trx, host);
    const check: FenceCheck = { at, devices };
    // What was armed before the outage is what counts: a host that is not up says nothing of it any more.
    const told = row.state === 'up' ? { armed: armed === null ? null : toJson({ ...armed, at }) } : {};
    await trx
      .updateTable('hosts')
      .set({ fence_devices: toJson(check), ...told })
      .where('name', '=', host)
      .execute();
  });
}

/** null where it was never asked, or nothing is armed. */
export async function armedOf(inventory: Inventory, host: string): Promise<Armed | null> {
  const { armed } = await read(inventory, (db) => requireHost(db, host));
  return armed === null ? null : armedShape.parse(JSON.parse(armed));
}

/** null where nobody has looked yet. */
export async function fenceCheckOf(inventory: Inventory, host: string): Promise<FenceCheck | null> {
  const { fence_devices: devices } = await read(inventory, (db) => requireHost(db, host));
  return devices === null ? null : fenceCheck.parse(JSON.parse(devices));
}
