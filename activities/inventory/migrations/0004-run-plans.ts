import type { Kysely, Migration } from 'kysely';

/** What a run ran, sub-runbooks included: a table of its own, since lists of runs don't need it. */
export const runPlans: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('run_plans')
      .addColumn('run', 'text', (c) => c.primaryKey())
      .addColumn('plan', 'text', (c) => c.notNull())
      .execute();
  },
};
