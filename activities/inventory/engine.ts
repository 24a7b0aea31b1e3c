import type { Kysely } from 'kysely';
import type { Tables } from './schema.js';

/** What SQLite and PostgreSQL do each in its own way; all else of the inventory is the same code. */
export interface Engine {
  /** As it is told to people. */
  readonly told: string;
  readonly kysely: Kysely<Tables>;
  /** Begins a transaction that has the write lock from now on. */
  begin(connection: Kysely<Tables>): Promise<void>;
  /** Whether the database can be used as it is; otherwise an InventoryUnavailable that says what to do. */
  check(): Promise<void>;
  /** The schema in which the tables are made; null where there is only one. */
  schema(connection: Kysely<Tables>): Promise<string | null>;
  hasMigrations(connection: Kysely<Tables>): Promise<boolean>;
  /** Worth another try within a moment: nothing was written, and the next attempt may find it otherwise. */
  isPassing(error: unknown): boolean;
  /** The connection broke, so that nobody knows whether a commit that was sent has been done. */
  isLost(error: unknown): boolean;
  close(): Promise<void>;
  /** An error of the database itself as InventoryUnavailable; any other (a refusal, a bug, a broken constraint) as it is. */
  translate(error: unknown): unknown;
}
