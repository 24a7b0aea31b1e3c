/** Flavors for the cases, and instances that are resized already: what a resize leaves, without the resize. */
import { addAllocations } from '../../activities/inventory/allocations.js';
import { heldOf } from '../../activities/inventory/held.js';
import { transact } from '../../activities/inventory/database.js';
import { createFlavor } from '../../activities/inventory/flavors.js';
import { getInstance } from '../../activities/inventory/instances.js';
import { putFile } from '../../activities/simulator/files.js';
import type { Resized } from '../../model/instance.js';
import type { Place } from './case.js';
import { adopt } from './place.js';

/** Of the place alone: another one may have a flavor of that name. */
export async function flavorOf(
  place: Place,
  size: { vcpus: number; memoryMiB: number; diskGiB: number },
): Promise<string> {
  const name = `size-${place.name}`;
  await createFlavor(place.inventory, { id: place.uuid(), name, ...size });
  return name;
}

/** It was half as large; on the first host, or where it is now. */
export async function adoptResized(
  place: Place,
  its: { was: Resized['was']; local?: boolean; same?: boolean },
): Promise<{ instance: string; operation: string }> {
  const { was, local = false, same = false } = its;
  const [first, second] = place.hosts;
  const id = await adopt(place, { on: same ? first : second, state: was, local });
  const { disks } = await getInstance(place.inventory, id);
  const copied = local ? disks.map((disk) => disk.path) : [];
  const operation = place.uuid();
  const before = { host: first.name, flavor: null, vcpus: 1, memoryMiB: 64, disks };
  const resized: Resized = { operation, kind: 'resize', was, ...before, copied, confirmsAt: null };
  await place.datacenter.transact((tx) => {
    for (const path of copied)
      putFile(tx, first.name, { path, format: 'qcow2', bytes: 2 ** 30, allocated: 2 ** 28, refers_to: null });
  });
  await transact(place.inventory, async (trx) => {
    const row = await trx
      .updateTable('instances')
      .set({ state: 'resized', resized: JSON.stringify(resized) })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow();
    const held = heldOf(row);
    if (held !== null) await addAllocations(trx, [held]);
  });
  return { instance: id, operation };
}
