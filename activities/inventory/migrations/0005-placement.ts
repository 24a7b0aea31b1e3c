import type { Kysely, Migration } from 'kysely';

interface Before {
  hosts: {
    name: string;
    vcpus: number;
    cpu_overcommit: number;
    memory_mib: number;
    memory_mib_reserved: number;
  };
  allocations: { host: string; vcpus: number; memory_mib: number; slots: number };
}

/** What is in use on each host, so that a claim need not add up the allocations of all, and the indices to choose by. */
export const placement: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('host_usage')
      .addColumn('host', 'text', (c) => c.primaryKey())
      .addColumn('vcpus_used', 'integer', (c) => c.notNull())
      .addColumn('memory_mib_used', 'integer', (c) => c.notNull())
      .addColumn('slots_used', 'integer', (c) => c.notNull())
      .addColumn('vcpus_free', 'integer', (c) => c.notNull())
      .addColumn('memory_mib_free', 'integer', (c) => c.notNull())
      .execute();
    // The orders of spread and of pack.
    await db.schema
      .createIndex('host_usage_emptiest')
      .on('host_usage')
      .columns(['memory_mib_free desc', 'vcpus_free desc', 'host'])
      .execute();
    await db.schema
      .createIndex('host_usage_fullest')
      .on('host_usage')
      .columns(['memory_mib_free', 'vcpus_free', 'host'])
      .execute();
    await db.schema.createIndex('instances_server_group').on('instances').column('server_group').execute();
    await db.schema
      .createIndex('operations_kind_state')
      .on('operations')
      .columns(['kind', 'state', 'ended_at'])
      .execute();
    await fill(db);
  },
};

async function fill(db: Kysely<unknown>): Promise<void> {
  const typed = db as Kysely<Before & { host_usage: Record<string, string | number> }>;
  const hosts = await typed
    .selectFrom('hosts')
    .select(['name', 'vcpus', 'cpu_overcommit', 'memory_mib', 'memory_mib_reserved'])
    .execute();
  const sums = await typed
    .selectFrom('allocations')
    .select((e) => [
      'host',
      e.fn.sum('vcpus').as('vcpus'),
      e.fn.sum('memory_mib').as('memory'),
      e.fn.sum('slots').as('slots'),
    ])
    .groupBy('host')
    .execute();
  const used = new Map(sums.map((row) => [row.host, row]));
  for (const host of hosts) {
    const { vcpus = 0, memory = 0, slots = 0 } = used.get(host.name) ?? {};
    await typed
      .insertInto('host_usage')
      .values({
        host: host.name,
        vcpus_used: Number(vcpus),
        memory_mib_used: Number(memory),
        slots_used: Number(slots),
        vcpus_free: Math.floor(host.vcpus * host.cpu_overcommit) - Number(vcpus),
        memory_mib_free: host.memory_mib - host.memory_mib_reserved - Number(memory),
      })
      .execute();
  }
}
