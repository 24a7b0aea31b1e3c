import type { Kysely, Migration } from 'kysely';

/** What a recovery needs: who is brought back, what proves that a host is off, incidents, definitions of guests. */
export const recovery: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable('instances')
      .addColumn('ha_policy', 'text', (c) => c.notNull().defaultTo('3'))
      .execute();
    await db.schema.alterTable('instances').addColumn('terminate_due', 'text').execute();
    for (const name of ['fence', 'armed', 'fence_devices']) {
      await db.schema.alterTable('hosts').addColumn(name, 'text').execute();
    }
    for (const name of ['reserved', 'control_plane']) {
      await db.schema
        .alterTable('hosts')
        .addColumn(name, 'integer', (c) => c.notNull().defaultTo(0))
        .execute();
    }
    await db.schema
      .createTable('definitions')
      .addColumn('instance', 'text', (c) => c.primaryKey())
      .addColumn('definition', 'text', (c) => c.notNull())
      .addColumn('host', 'text', (c) => c.notNull())
      .addColumn('seen_at', 'text', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('incidents')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('host', 'text', (c) => c.notNull())
      .addColumn('domain', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('by', 'text', (c) => c.notNull())
      .addColumn('reason', 'text', (c) => c.notNull())
      .addColumn('workflow_id', 'text', (c) => c.notNull())
      .addColumn('verdict', 'text')
      .addColumn('evidence', 'text')
      .addColumn('instances', 'text', (c) => c.notNull())
      .addColumn('waits_for', 'text')
      .addColumn('error', 'text')
      .addColumn('fence_taken_at', 'text')
      .addColumn('opened_at', 'text', (c) => c.notNull())
      .addColumn('ended_at', 'text')
      .addColumn('readmitted_at', 'text')
      .execute();
    await db.schema.createIndex('incidents_host').on('incidents').columns(['host', 'opened_at']).execute();
    await db.schema
      .createIndex('incidents_fences')
      .on('incidents')
      .columns(['fence_taken_at', 'domain'])
      .execute();
    await db.schema
      .createTable('incident_events')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('incident', 'text', (c) => c.notNull())
      .addColumn('seq', 'integer', (c) => c.notNull())
      .addColumn('at', 'text', (c) => c.notNull())
      .addColumn('phase', 'text', (c) => c.notNull())
      .addColumn('says', 'text', (c) => c.notNull())
      .addColumn('details', 'text', (c) => c.notNull())
      .execute();
    await db.schema
      .createIndex('incident_events_incident')
      .on('incident_events')
      .columns(['incident', 'seq'])
      .execute();
    await db.schema
      .createTable('recovery_switches')
      .addColumn('seq', 'integer', (c) => c.primaryKey())
      // '' is the fleet.
      .addColumn('zone', 'text', (c) => c.notNull())
      .addColumn('mode', 'text', (c) => c.notNull())
      .addColumn('reason', 'text', (c) => c.notNull())
      .addColumn('by', 'text', (c) => c.notNull())
      .addColumn('at', 'text', (c) => c.notNull())
      .addColumn('until', 'text')
      .execute();
  },
};
