import type { Kysely, Migration } from 'kysely';

/** What moves, sizes, placement and truth need: policies and holds of instances, facts of hosts, groups, findings. */
export const moves: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const columns = {
      hosts: ['zone', 'cpu', 'networks', 'storage'],
      instances: ['move_policy', 'resized', 'saved', 'cause', 'cpu_mode', 'networks'],
    };
    for (const [table, names] of Object.entries(columns)) {
      // SQLite adds one column at a time.
      for (const name of names) await db.schema.alterTable(table).addColumn(name, 'text').execute();
    }
    const filled = [
      ['instances', 'restart_policy', 'never'],
      ['migrations', 'kind', 'live'],
      ['migrations', 'ladder', '[]'],
      ['migrations', 'copied', '[]'],
    ] as const;
    for (const [table, name, value] of filled) {
      await db.schema
        .alterTable(table)
        .addColumn(name, 'text', (c) => c.notNull().defaultTo(value))
        .execute();
    }
    await db.schema
      .alterTable('instances')
      .addColumn('restart_due', 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
    await db.schema
      .createTable('server_groups')
      .addColumn('name', 'text', (c) => c.primaryKey())
      .addColumn('policy', 'text', (c) => c.notNull())
      .addColumn('created_at', 'text', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('operation_actions')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('operation', 'text', (c) => c.notNull())
      .addColumn('at', 'text', (c) => c.notNull())
      .addColumn('by', 'text', (c) => c.notNull())
      .addColumn('action', 'text', (c) => c.notNull())
      .addColumn('details', 'text', (c) => c.notNull())
      .execute();
    await db.schema
      .createIndex('operation_actions_operation')
      .on('operation_actions')
      .column('operation')
      .execute();
    await db.schema
      .createTable('guest_events')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('at', 'text', (c) => c.notNull())
      .addColumn('host', 'text', (c) => c.notNull())
      .addColumn('instance', 'text', (c) => c.notNull())
      .addColumn('event', 'text', (c) => c.notNull())
      .addColumn('detail', 'text', (c) => c.notNull())
      .addColumn('cause', 'text')
      .addColumn('todo', 'text')
      .execute();
    await db.schema
      .createIndex('guest_events_instance')
      .on('guest_events')
      .columns(['instance', 'at'])
      .execute();
    await db.schema
      .createTable('audits')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('at', 'text', (c) => c.notNull())
      .addColumn('ended_at', 'text')
      .addColumn('by', 'text', (c) => c.notNull())
      .addColumn('options', 'text', (c) => c.notNull())
      .addColumn('scope', 'text', (c) => c.notNull())
      .addColumn('findings', 'text', (c) => c.notNull())
      .addColumn('repairs', 'text', (c) => c.notNull())
      .addColumn('repaired', 'text', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('audit_hosts')
      .addColumn('audit', 'text', (c) => c.notNull())
      .addColumn('host', 'text', (c) => c.notNull())
      .addColumn('seen', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('audit_hosts_of', ['audit', 'host'])
      .execute();
  },
};
