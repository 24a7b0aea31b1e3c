import type { PayloadCodec } from '@temporalio/common';
import type { Inventory } from '../activities/inventory/database.js';
import type { Strategy } from '../activities/inventory/placement/request.js';
import type { TemporalConnection } from '../temporal/connect.js';

/** What every route works with. */
export interface Gateway {
  readonly cloud: string;
  readonly inventory: Inventory;
  readonly strategy?: Strategy;
  /** Folders of the user's own runbooks. */
  readonly folders: readonly string[];
  /** What Temporal keeps is encrypted with it; undefined where it is not. */
  readonly codec?: PayloadCodec | undefined;
  /** Where a Temporal UI is served from that may ask for decoding. */
  readonly uiOrigins: readonly string[];
  /** Connects at its first use; throws TemporalUnreachable within 5 s. */
  temporal(): Promise<TemporalConnection>;
}
