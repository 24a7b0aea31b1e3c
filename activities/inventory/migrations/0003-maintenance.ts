import type { Kysely, Migration } from 'kysely';

/** A host in maintenance until a time; all four are null where none was ever declared, or it was ended. */
export const maintenance: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    // SQLite adds one column at a time.
    for (const what of ['until', 'by', 'reason', 'run']) {
      await db.schema.alterTable('hosts').addColumn(`maintenance_${what}`, 'text').execute();
    }
  },
};
