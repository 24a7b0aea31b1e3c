/** The inventory as it is now, for the question of what would fit if hosts were lost. */
import type { Disk } from '../../model/instance.js';
import { allCandidates } from './candidates.js';
import { read, type Inventory, type Trx } from './database.js';
import { requireHost } from './hosts.js';
import type { Guest, Snapshot } from './placement/loss.js';
import { inOrder } from '../recovery/plan.js';
import type { Strategy } from './placement/request.js';

/** Refuses hosts that there are not. */
export const capacitySnapshot = (
  inventory: Inventory,
  { strategy = 'spread', without = [] }: { strategy?: Strategy | undefined; without?: readonly string[] },
): Promise<Snapshot> =>
  read(inventory, async (db) => {
    for (const host of without) await requireHost(db, host);
    const groups = await db.selectFrom('server_groups').select(['name', 'policy']).execute();
    return {
      hosts: await allCandidates(db, inventory),
      guests: await guestsOf(db),
      groups: new Map(groups.map(({ name, policy }) => [name, policy])),
      strategy,
    };
  });

async function guestsOf(db: Trx): Promise<Guest[]> {
  const rows = await db.selectFrom('instances').selectAll().where('state', '<>', 'deleted').execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return inOrder(rows).flatMap(({ instance }) => {
    const row = byId.get(instance);
    if (row === undefined || row.host === null) return [];
    return [
      {
        id: row.id,
        name: row.name,
        host: row.host,
        ha: row.ha_policy,
        vcpus: row.vcpus,
        memoryMiB: row.memory_mib,
        disks: (JSON.parse(row.disks) as Disk[]).filter((disk) => !disk.readonly).map((disk) => disk.path),
        cpuMode: row.cpu_mode,
        networks: row.networks === null ? null : (JSON.parse(row.networks) as string[]),
        group: row.server_group,
      },
    ];
  });
}
