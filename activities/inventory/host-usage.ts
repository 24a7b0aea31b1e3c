/**
 * What is in use on each host, kept beside the allocations: a claim in a cloud of thousands of hosts can't add them all
 * up. Whoever changes allocations or a host's size calls `refreshUsage` in the same transaction; it adds up anew what the
 * named hosts have, so that it can't drift.
 */
import type { Trx } from './database.js';

export async function refreshUsage(trx: Trx, names: Iterable<string>): Promise<void> {
  for (const name of new Set(names)) await refreshOne(trx, name);
}

async function refreshOne(trx: Trx, name: string): Promise<void> {
  const host = await trx
    .selectFrom('hosts')
    .select(['vcpus', 'cpu_overcommit', 'memory_mib', 'memory_mib_reserved'])
    .where('name', '=', name)
    .executeTakeFirst();
  if (host === undefined) return;
  const sums = await trx
    .selectFrom('allocations')
    .select((e) => [
      e.fn.sum('vcpus').as('vcpus'),
      e.fn.sum('memory_mib').as('memory'),
      e.fn.sum('slots').as('slots'),
    ])
    .where('host', '=', name)
    .executeTakeFirstOrThrow();
  const used = {
    vcpus_used: Number(sums.vcpus ?? 0),
    memory_mib_used: Number(sums.memory ?? 0),
    slots_used: Number(sums.slots ?? 0),
  };
  const row = {
    ...used,
    vcpus_free: Math.floor(host.vcpus * host.cpu_overcommit) - used.vcpus_used,
    memory_mib_free: host.memory_mib - host.memory_mib_reserved - used.memory_mib_used,
  };
  await trx
    .insertInto('host_usage')
    .values({ host: name, ...row })
    .onConflict((conflict) => conflict.column('host').doUpdateSet(row))
    .execute();
}
