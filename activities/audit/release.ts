/** Repairs that are one transaction of the inventory; each looks anew whether it is still right. */
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Owner } from '../../model/operation.js';
import { adoptionOf } from '../inventory/adoption.js';
import { removeAllocations } from '../inventory/allocations.js';
import { transact, type Inventory } from '../inventory/database.js';
import { listFlavors } from '../inventory/flavors.js';
import { getHostRef } from '../inventory/hosts.js';
import { adoptInstance } from '../inventory/instances.js';
import type { Hypervisor } from '../hypervisor/port.js';

/** Only what no operation and no open intent speaks of, and what its instance does not have by right. */
export async function releaseLeaked(
  inventory: Inventory,
  { allocation }: { allocation: string },
): Promise<{ released: boolean }> {
  return transact(inventory, async (trx) => {
    const row = await trx
      .selectFrom('allocations')
      .selectAll()
      .where('id', '=', allocation)
      .executeTakeFirst();
    if (row === undefined) return { released: false };
    const instance = await trx
      .selectFrom('instances')
      .select(['state', 'host', 'op_id', 'needs_repair', 'resized'])
      .where('id', '=', row.instance)
      .executeTakeFirst();
    const kept =
      instance !== undefined &&
      (instance.op_id !== null ||
        instance.needs_repair !== null ||
        instance.resized !== null ||
        (instance.state !== 'deleted' && instance.host === row.host && row.operation === null));
    const operation =
      row.operation === null
        ? undefined
        : await trx
            .selectFrom('operations')
            .select('ended_at')
            .where('id', '=', row.operation)
            .executeTakeFirst();
    const open = await trx
      .selectFrom('intents')
      .select('input')
      .where('instance', '=', row.instance)
      .where('activity', '=', 'releaseClaim')
      .where('state', '=', 'open')
      .execute();
    if (kept || operation?.ended_at === null || open.length > 0) return { released: false };
    await removeAllocations(trx, [allocation]);
    return { released: true };
  });
}

/** The guest as it is now, if it is still there and still nobody's. */
export async function adoptGuest(
  { inventory, hypervisor }: { inventory: Inventory; hypervisor: Hypervisor },
  { host, instance }: { host: string; instance: string },
): Promise<{ adopted: boolean }> {
  const ref = await getHostRef(inventory, host);
  const view = await hypervisor.look(ref, instance);
  if (view === null || view.power === 'migrating' || view.power === 'unknown') return { adopted: false };
  await adoptInstance(inventory, adoptionOf(view, host, await listFlavors(inventory)));
  return { adopted: true };
}

/**
 * Takes a disk of a deleted instance to remove it. A host that is silent may run a guest with that disk: then nobody may.
 * The epoch is raised first, so that a late step of the instance's last operation is refused by the host's fence.
 */
export async function claimOrphan(
  { inventory, hypervisor }: { inventory: Inventory; hypervisor: Hypervisor },
  { audit, instance, path, host }: { audit: string; instance: string; path: string; host: string },
): Promise<{ owner: Owner; host: HostRef }> {
  const { hosts, epoch } = await transact(inventory, async (trx) => {
    const rows = await trx.selectFrom('instances').select(['id', 'disks', 'resized', 'state']).execute();
    const quoted = JSON.stringify(path);
    const user = rows.find(
      ({ state, disks, resized }) =>
        state !== 'deleted' && (disks.includes(quoted) || (resized?.includes(quoted) ?? false)),
    );
    if (user) throw refused(path, `instance ${user.id} has it`);
    const row = await trx
      .updateTable('instances')
      .set((e) => ({ epoch: e('epoch', '+', 1) }))
      .where('id', '=', instance)
      .where('state', '=', 'deleted')
      .where('op_id', 'is', null)
      .returning('epoch')
      .executeTakeFirst();
    if (row === undefined) throw refused(path, `instance ${instance} is not deleted any more`);
    const all = await trx.selectFrom('hosts').select(['name', 'uri']).execute();
    return { hosts: all, epoch: row.epoch };
  });
  for (const one of hosts) {
    const guests = await hypervisor.list(one).catch((error: unknown) => {
      throw refused(
        path,
        `${one.name} does not answer and may have a guest that uses it (${error instanceof Error ? error.message : String(error)})`,
      );
    });
    const user = guests.find((guest) => guest.disks.some((disk) => disk.path === path));
    if (user) throw refused(path, `guest ${user.name} on ${one.name} has it`);
  }
  return { owner: { instance, operation: `audit/${audit}`, epoch }, host: await getHostRef(inventory, host) };
}

const refused = (path: string, why: string): DroverError =>
  new DroverError('DiskError', `${path} stays: ${why}`, { hint: 'audit again once that is settled' });
