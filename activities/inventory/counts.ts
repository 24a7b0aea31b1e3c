/** How many of what there are: for monitoring, which asks often and wants no rows. */
import { sql } from 'kysely';
import { read, type Inventory } from './database.js';

export interface Counts {
  hosts: { state: string; enabled: boolean; fenced: boolean; count: number }[];
  instances: { state: string; count: number }[];
  instancesNeedingRepair: number;
  /** By state; those that run are among them. */
  runs: { state: string; count: number }[];
  incidentsOpen: { asks: boolean; count: number }[];
}

/** Throws InventoryUnavailable. */
export async function countsOf(inventory: Inventory): Promise<Counts> {
  return read(inventory, async (db) => {
    const count = db.fn.countAll().as('count');
    const hosts = await db
      .selectFrom('hosts')
      .select([
        'state',
        'enabled',
        sql<number>`case when fence is null then 0 else 1 end`.as('fenced'),
        count,
      ])
      .groupBy(['state', 'enabled', 'fenced'])
      .execute();
    const instances = await db.selectFrom('instances').select(['state', count]).groupBy('state').execute();
    const broken = await db
      .selectFrom('instances')
      .select(count)
      .where('needs_repair', 'is not', null)
      .executeTakeFirstOrThrow();
    const runs = await db.selectFrom('runs').select(['state', count]).groupBy('state').execute();
    const incidents = await db
      .selectFrom('incidents')
      .select([sql<number>`case when waits_for is null then 0 else 1 end`.as('asks'), count])
      .where('ended_at', 'is', null)
      .groupBy('asks')
      .execute();
    return {
      hosts: hosts.map((one) => ({
        state: one.state,
        enabled: one.enabled === 1,
        fenced: one.fenced === 1,
        count: Number(one.count),
      })),
      instances: instances.map(({ state, count: n }) => ({ state, count: Number(n) })),
      instancesNeedingRepair: Number(broken.count),
      runs: runs.map(({ state, count: n }) => ({ state, count: Number(n) })),
      incidentsOpen: incidents.map(({ asks, count: n }) => ({ asks: asks === 1, count: Number(n) })),
    };
  });
}
