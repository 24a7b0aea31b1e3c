import type { CreateTableBuilder, Kysely, Migration } from 'kysely';

/** The first schema. A migration is never edited once it is released: a change is a new file. */
export const inventory: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await hosts(db);
    await instances(db);
    await operations(db);
    await records(db);
  },
};

async function hosts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('hosts')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('uri', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('state_reason', 'text')
    .addColumn('enabled', 'integer', (c) => c.notNull())
    .addColumn('disabled_reason', 'text')
    .addColumn('disabled_by', 'text')
    .addColumn('system_uuid', 'text')
    .addColumn('hostname', 'text')
    .addColumn('hypervisor', 'text')
    .addColumn('vcpus', 'integer', (c) => c.notNull())
    .addColumn('cpu_overcommit', 'double precision', (c) => c.notNull())
    .addColumn('memory_mib', 'integer', (c) => c.notNull())
    .addColumn('memory_mib_reserved', 'integer', (c) => c.notNull())
    .addColumn('slots', 'integer', (c) => c.notNull())
    .addColumn('labels', 'text', (c) => c.notNull())
    .addColumn('last_seen_at', 'text')
    .addColumn('created_at', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('flavors')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull().unique())
    .addColumn('vcpus', 'integer', (c) => c.notNull())
    .addColumn('memory_mib', 'integer', (c) => c.notNull())
    .addColumn('disk_gib', 'integer', (c) => c.notNull())
    .execute();
}

async function instances(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('instances')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('power_state', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.references('hosts.name'))
    .addColumn('flavor', 'text')
    .addColumn('vcpus', 'integer', (c) => c.notNull())
    .addColumn('memory_mib', 'integer', (c) => c.notNull())
    .addColumn('disks', 'text', (c) => c.notNull())
    .addColumn('image', 'text')
    .addColumn('locked', 'integer', (c) => c.notNull())
    .addColumn('lock_reason', 'text')
    .addColumn('locked_by', 'text')
    .addColumn('needs_repair', 'text')
    .addColumn('fault', 'text')
    .addColumn('server_group', 'text')
    .addColumn('metadata', 'text', (c) => c.notNull())
    .addColumn('op_id', 'text')
    .addColumn('op_kind', 'text')
    .addColumn('op_workflow_id', 'text')
    .addColumn('op_run_id', 'text')
    .addColumn('epoch', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'text', (c) => c.notNull())
    .execute();
  // No unique name: two hypervisors may hold guests of one name, and both can be adopted.
  await index(db, 'instances', ['name']);
  await index(db, 'instances', ['host', 'state']);
  await index(db, 'instances', ['op_id']);
  await db.schema
    .createTable('allocations')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('instance', 'text', (c) => c.notNull().references('instances.id'))
    .addColumn('host', 'text', (c) => c.notNull().references('hosts.name'))
    .addColumn('operation', 'text')
    .addColumn('vcpus', 'integer', (c) => c.notNull())
    .addColumn('memory_mib', 'integer', (c) => c.notNull())
    .addColumn('slots', 'integer', (c) => c.notNull())
    .execute();
  await index(db, 'allocations', ['host']);
  await index(db, 'allocations', ['instance']);
}

async function operations(db: Kysely<unknown>): Promise<void> {
  const table = db.schema
    .createTable('operations')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('doing', 'text', (c) => c.notNull())
    // No foreign key: a refusal is recorded even for an instance that does not exist.
    .addColumn('instance', 'text')
    .addColumn('host', 'text')
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('phase', 'text', (c) => c.notNull())
    .addColumn('epoch', 'integer', (c) => c.notNull())
    .addColumn('predecessor', 'text')
    .addColumn('input', 'text', (c) => c.notNull())
    .addColumn('result', 'text')
    .addColumn('error', 'text')
    .addColumn('left_over', 'text', (c) => c.notNull())
    .addColumn('sentence', 'text')
    .addColumn('requested_by', 'text', (c) => c.notNull())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('workflow_id', 'text', (c) => c.notNull())
    .addColumn('run_id', 'text', (c) => c.notNull())
    .addColumn('run', 'text')
    .addColumn('step', 'text')
    .addColumn('item', 'text');
  await startAndEnd(table).execute();
  await index(db, 'operations', ['instance', 'started_at']);
  await index(db, 'operations', ['run']);
  await db.schema
    .createTable('intents')
    .addColumn('operation', 'text', (c) => c.notNull().references('operations.id'))
    .addColumn('seq', 'integer', (c) => c.notNull())
    .addColumn('instance', 'text', (c) => c.notNull())
    .addColumn('activity', 'text', (c) => c.notNull())
    .addColumn('input', 'text', (c) => c.notNull())
    .addColumn('on_host', 'text')
    .addColumn('says', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('intents_pk', ['operation', 'seq'])
    .execute();
  await index(db, 'intents', ['instance', 'state']);
}

async function records(db: Kysely<unknown>): Promise<void> {
  const migrations = db.schema
    .createTable('migrations')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('operation', 'text', (c) => c.notNull())
    .addColumn('instance', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('storage', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('downtime_ms', 'double precision')
    .addColumn('total_ms', 'double precision')
    .addColumn('transferred_bytes', 'bigint')
    .addColumn('reason', 'text');
  await startAndEnd(migrations).execute();
  await index(db, 'migrations', ['instance', 'started_at']);
  const runs = db.schema
    .createTable('runs')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('runbook', 'text', (c) => c.notNull())
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('inputs', 'text', (c) => c.notNull())
    .addColumn('requested_by', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('steps', 'text', (c) => c.notNull())
    .addColumn('undone', 'text', (c) => c.notNull())
    .addColumn('outputs', 'text', (c) => c.notNull())
    .addColumn('error', 'text');
  await startAndEnd(runs).execute();
  await index(db, 'runs', ['started_at']);
}

const startAndEnd = <T extends string>(table: CreateTableBuilder<T, string>) =>
  table.addColumn('started_at', 'text', (c) => c.notNull()).addColumn('ended_at', 'text');

const index = (db: Kysely<unknown>, table: string, columns: string[]): Promise<void> =>
  db.schema
    .createIndex([table, ...columns].join('_'))
    .on(table)
    .columns(columns)
    .execute();
