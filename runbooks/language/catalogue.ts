/** What runbooks can use, as data: the checker knows no operation by name. */
import type { z } from 'zod';
import type { RunbookInput } from '../../model/runbook-inputs.js';

export interface CatalogueOperation {
  /** As in `uses`: `instance.live-migrate`. */
  key: string;
  summary: string;
  input: z.ZodObject;
}

export interface CatalogueQuery {
  /** As in `for-each: { query: … }` and, after `query.`, in `uses`. */
  name: string;
  input: z.ZodObject;
  /** One entry of the answer. */
  item: z.ZodObject;
}

/** What a runbook takes and gives, for one that uses it. */
export interface Signature {
  inputs: Readonly<Record<string, RunbookInput>>;
  /** CEL types by name. */
  outputs: Readonly<Record<string, string>>;
}

export interface Catalogue {
  operations: ReadonlyMap<string, CatalogueOperation>;
  queries: ReadonlyMap<string, CatalogueQuery>;
  /**
   * Runbooks that can be used as `runbook.NAME`; null where what it takes is not known, since it was not read or
   * has mistakes of its own.
   */
  runbooks?: ReadonlyMap<string, Signature | null>;
}
