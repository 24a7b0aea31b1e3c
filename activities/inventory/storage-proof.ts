/** How it can be proven that a host sees the files that a lost host saw, which can't be asked any more. */
import type { Disk } from '../../model/instance.js';
import { read, type Inventory } from './database.js';
import { getInstance } from './instances.js';
import { hasStore, storeOf } from './placement/storage.js';
import type { StorageProof } from './types.js';

export async function storageProof(
  inventory: Inventory,
  { instance, lost, target }: { instance: string; lost: string; target: string },
): Promise<StorageProof> {
  const { disks } = await getInstance(inventory, instance);
  const hosts = await read(inventory, (db) =>
    db
      .selectFrom('hosts')
      .select(['name', 'uri', 'storage'])
      .where((e) =>
        e.or([
          e('name', 'in', [lost, target]),
          e.and([e('state', '=', 'up'), e('fence', 'is', null), e('maintenance_until', 'is', null)]),
        ]),
      )
      .orderBy('name')
      .execute(),
  );
  const storageOf = (name: string): { storage: Record<string, string> } => ({
    // Written by us from what was checked.
    storage: JSON.parse(hosts.find((host) => host.name === name)?.storage ?? '{}') as Record<string, string>,
  });
  const declared = disks.filter(({ path }: Disk) => {
    const store = storeOf(storageOf(lost), path);
    return store !== undefined && hasStore(storageOf(target), store);
  });
  const witness = hosts.find(({ name }) => name !== lost && name !== target);
  return {
    declared: declared.map(({ path }) => path),
    witness: witness === undefined ? null : { name: witness.name, uri: witness.uri },
  };
}
