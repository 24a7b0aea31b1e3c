import type { Kysely, Migration } from 'kysely';

/** Items, actions and concurrency keys of runs as rows; runs within runs, and runs that try another again. */
export const runs: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const column of ['parent_run', 'parent_step', 'retry_of', 'plan']) {
      await db.schema.alterTable('runs').addColumn(column, 'text').execute();
    }
    for (const column of ['parent_run', 'retry_of']) {
      await db.schema.createIndex(`runs_${column}`).on('runs').column(column).execute();
    }
    await db.schema
      .createTable('run_items')
      .addColumn('run', 'text', (c) => c.notNull())
      .addColumn('step', 'text', (c) => c.notNull())
      .addColumn('item', 'text', (c) => c.notNull())
      .addColumn('label', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('error', 'text')
      .addColumn('result', 'text')
      .addColumn('attempt', 'integer', (c) => c.notNull())
      .addColumn('ended_at', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('run_items_pk', ['run', 'step', 'item'])
      .execute();
    await db.schema.createIndex('run_items_run_state').on('run_items').columns(['run', 'state']).execute();
    await db.schema
      .createTable('run_actions')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('run', 'text', (c) => c.notNull())
      .addColumn('at', 'text', (c) => c.notNull())
      .addColumn('by', 'text', (c) => c.notNull())
      .addColumn('action', 'text', (c) => c.notNull())
      .addColumn('step', 'text')
      .addColumn('comment', 'text')
      .addColumn('details', 'text', (c) => c.notNull())
      .execute();
    await db.schema.createIndex('run_actions_run').on('run_actions').columns(['run', 'at']).execute();
    await db.schema
      .createTable('run_concurrency')
      .addColumn('key', 'text', (c) => c.primaryKey())
      .addColumn('run', 'text', (c) => c.notNull())
      .addColumn('workflow_id', 'text')
      .addColumn('taken_at', 'text', (c) => c.notNull())
      .execute();
    await db.schema.createIndex('run_concurrency_run').on('run_concurrency').column('run').execute();
  },
};
