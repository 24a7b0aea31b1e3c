/** What was seen of the hosts' fencing while they lived: `hosts.fence_devices` and `hosts.armed`. */
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

export async function recordDevices(
  inventory: Inventory,
  host: string,
  devices: DeviceCheck[],
): Promise<void> {
  const check: FenceCheck = { at: inventory.now(), devices };
  await transact(inventory, (trx) =>
    trx
      .updateTable('hosts')
      .set({ fence_devices: toJson(check) })
      .where('name', '=', host)
      .execute(),
  );
}

/** What was armed before an outage is what counts: a host that is not up by now keeps what it said before. */
export async function recordSelfFences(
  inventory: Inventory,
  { seen }: { seen: { host: string; armed: SelfFence | null }[] },
): Promise<void> {
  const at = inventory.now();
  await transact(inventory, async (trx) => {
    for (const { host, armed } of seen) {
      await trx
        .updateTable('hosts')
        .set({ armed: armed === null ? null : toJson({ ...armed, at } satisfies Armed) })
        .where('name', '=', host)
        .where('state', '=', 'up')
        .execute();
    }
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
