/** What runbooks can use, as data: the checker knows no operation by name. */
import type { z } from 'zod';

export interface CatalogueOperation {
  /** As in `uses`: `instance.live-migrate`. */
  key: string;
  summary: string;
  input: z.ZodObject;
}

export interface CatalogueQuery {
  /** As in `for-each: { query: … }`. */
  name: string;
  input: z.ZodObject;
  /** One entry of the answer. */
  item: z.ZodObject;
}

export interface Catalogue {
  operations: ReadonlyMap<string, CatalogueOperation>;
  queries: ReadonlyMap<string, CatalogueQuery>;
}
