/** What the whole datacenter has of an instance: what only the judge of a simulation can see at once. */
import { storeOf, type FileRow } from '../../../activities/simulator/files.js';
import { copiesOf, type GuestRow } from '../../../activities/simulator/guests.js';
import { listInstances } from '../../../activities/inventory/instances.js';
import type { VirtualCloud } from '../../../virtual/cloud.js';

export interface Seen {
  /** Hosts on which it runs or is frozen: more than one is the disaster. */
  alive: string[];
  known: string[];
  power: Map<string, GuestRow['power']>;
  /** Migrations of it that run. */
  jobs: number;
  probes: string[];
  /** All disks: whose they are by the inventory (null: nobody's), and whether that instance uses it where it is. */
  disks: { store: string; path: string; instance: string | null; used: boolean }[];
  boots: number;
}

export async function seen(cloud: VirtualCloud, id: string): Promise<Seen> {
  const instances = await listInstances(cloud.inventory);
  return cloud.datacenter.transact((tx) => {
    const copies = copiesOf(tx, id);
    const files = tx.all<FileRow>(`select * from files where store <> 'images' order by store, path`);
    const uses = instances.flatMap(({ id: instance, host, disks }) =>
      disks.map(({ path }) => ({ instance, path, store: host === null ? null : storeOf(tx, host, path) })),
    );
    return {
      alive: copies.filter(({ power }) => power === 'running' || power === 'paused').map(({ host }) => host),
      known: copies.map(({ host }) => host),
      power: new Map(copies.map(({ host, power }) => [host, power])),
      jobs: tx.all('select id from migrations where guest = ? and ended_at is null', id).length,
      probes: files.filter(({ format }) => format === 'probe').map(({ path }) => path),
      disks: files
        .filter(({ format }) => format !== 'probe')
        .map(({ store, path }) => ({
          store,
          path,
          instance: uses.find((use) => use.path === path)?.instance ?? null,
          used: uses.some((use) => use.path === path && use.store === store),
        })),
      boots: copies.reduce((sum, { boots }) => sum + boots, 0),
    };
  });
}
