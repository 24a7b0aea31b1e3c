import type { Catalogue } from '../runbooks/language/catalogue.js';
import { operations, queries } from './catalogue.js';

/** What runbooks may use, for their checks. */
export function runbookCatalogue(): Catalogue {
  return {
    operations: new Map([...operations].map(([key, { summary, input }]) => [key, { key, summary, input }])),
    queries: new Map(Object.entries(queries)),
  };
}
