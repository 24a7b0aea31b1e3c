/** Checks what a step goes through, and tells what an item of it is. */
import type { FileIssue, Path } from '../../config/yaml-file.js';
import { didYouMean } from '../../model/did-you-mean.js';
import type { ForEach } from '../../model/runbook.js';
import type { Catalogue } from './catalogue.js';
import { checkTexts, checkWith, holdsExpression, tell, type Checker, type Issues } from './check-with.js';
import { typeName, type CelType } from './cel-types.js';
import { itemType } from './expression-check.js';
import { queryType } from './types.js';

interface Around {
  once: Checker;
  catalogue: Catalogue;
  file: Issues;
}

export interface CheckedForEach {
  /** The CEL type of an item, or its fields; undefined without for-each. */
  item?: CelType;
  issues: FileIssue[];
}

export function checkForEach(forEach: ForEach | undefined, step: Path, around: Around): CheckedForEach {
  if (forEach === undefined) return { issues: [] };
  const path = [...step, 'for-each'];
  if (typeof forEach === 'string') return checkExpression(forEach, path, around);
  if (Array.isArray(forEach)) {
    return { item: commonType(forEach), issues: checkTexts(forEach, path, around.once, around.file) };
  }
  const query = around.catalogue.queries.get(forEach.query);
  if (query !== undefined) {
    const given = { path, taker: `the query ${query.name}`, schema: query.input, given: forEach.with };
    return { item: queryType(query.name), issues: checkWith(given, around.once, around.file) };
  }
  const known = [...around.catalogue.queries.keys()];
  const meant = didYouMean(forEach.query, known);
  const hint = meant === undefined ? `known are ${known.toSorted().join(', ')}` : `did you mean "${meant}"?`;
  return {
    item: 'dyn',
    issues: [around.file.issue([...path, 'query'], `unknown query "${forEach.query}"`, { hint })],
  };
}

function checkExpression(text: string, path: Path, { once, file }: Around): CheckedForEach {
  const checked = once.text(text);
  const { type } = checked;
  if (type === undefined) return { item: 'dyn', issues: tell(checked, path, file) };
  if (type === 'dyn' || type.startsWith('list')) return { item: itemType(type), issues: [] };
  const message = `must give a list, but gives ${typeName(type)}`;
  return { item: 'dyn', issues: [file.issue(path, message)] };
}

function commonType(items: readonly unknown[]): string {
  const types = new Set(items.map((item) => (holdsExpression(item) ? 'other' : typeof item)));
  const [type] = types;
  if (types.size !== 1) return 'dyn';
  return { string: 'string', number: 'double', boolean: 'bool' }[String(type)] ?? 'dyn';
}
