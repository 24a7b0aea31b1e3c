/** What was seen of the hosts' fencing while they lived: `hosts.fence_devices` and `hosts.armed`. */
import {
  armed as armedShape,
  fenceCheck,
  type Armed,
  type DeviceCheck,
  type FenceCheck,
} from '../../model/fence-check.js';
import { read, transact, type Inventory } from './database.js';
import { requireHost } from './hosts.js';
import { toJson } from './rows.js';
import type { FencingActivities } from '../fencing/types.js';

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

/** What a worker told so long ago may have been changed by a person since. */
const keptMs = 3_600_000;

/** What was armed before an outage is what counts: a host that is not up by now keeps what it said before. */
export async function recordSelfFences(
  inventory: Inventory,
  { seen }: Parameters<FencingActivities['recordSelfFences']>[0],
): Promise<void> {
  const at = inventory.now();
  await transact(inventory, async (trx) => {
    for (const { host, heard, armed } of seen) {
      const row = await requireHost(trx, host);
      const known = row.armed === null ? null : armedShape.parse(JSON.parse(row.armed));
      const kept = known !== null && Date.parse(at) - Date.parse(known.at) < keptMs ? row.armed : null;
      const told = armed === null ? null : toJson({ ...armed, at } satisfies Armed);
      await trx
        .updateTable('hosts')
        .set({ armed: heard ? told : kept })
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
