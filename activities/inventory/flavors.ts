import { DroverError } from '../../model/errors.js';
import type { Flavor } from '../../model/instance.js';
import { read, transact, type Inventory } from './database.js';
import { suggestion } from './no-such.js';
import { flavorOf } from './rows.js';

export async function createFlavor(inventory: Inventory, flavor: Flavor): Promise<void> {
  await transact(inventory, async (trx) => {
    const taken = await trx
      .selectFrom('flavors')
      .select('id')
      .where((or) => or.or([or('id', '=', flavor.id), or('name', '=', flavor.name)]))
      .executeTakeFirst();
    if (taken !== undefined) {
      throw new DroverError('AlreadyExists', `there is a flavor "${flavor.name}" already`, {
        details: { flavor: flavor.name },
      });
    }
    const { memoryMiB, diskGiB, ...same } = flavor;
    await trx
      .insertInto('flavors')
      .values({ ...same, memory_mib: memoryMiB, disk_gib: diskGiB })
      .execute();
  });
}

export async function listFlavors(inventory: Inventory): Promise<Flavor[]> {
  const rows = await read(inventory, (db) =>
    db.selectFrom('flavors').selectAll().orderBy('memory_mib').orderBy('vcpus').orderBy('name').execute(),
  );
  return rows.map(flavorOf);
}

/** By name or id. */
export async function getFlavor(inventory: Inventory, nameOrId: string): Promise<Flavor> {
  const flavors = await listFlavors(inventory);
  const found = flavors.find((flavor) => flavor.id === nameOrId || flavor.name === nameOrId);
  if (found !== undefined) return found;
  const guess = suggestion(
    nameOrId,
    flavors.map((flavor) => flavor.name),
  );
  throw new DroverError('NotFound', `there is no flavor "${nameOrId}"${guess}`, {
    details: { flavor: nameOrId },
    hint: 'list the flavors with `drover flavor list`',
  });
}

/** Instances keep their own size, so a flavor can go while they run. */
export async function deleteFlavor(inventory: Inventory, nameOrId: string): Promise<void> {
  const { id } = await getFlavor(inventory, nameOrId);
  await transact(inventory, (trx) => trx.deleteFrom('flavors').where('id', '=', id).execute());
}
