/**
 * A YAML file checked by a schema, with the place of everything that is wrong with it. The one way in for
 * runbooks and for drover.yaml; never within a workflow (the parser is large and has no business there).
 */
import { isAlias, isMap, isNode, isScalar, isSeq, visit } from 'yaml';
import type { z } from 'zod';
import { DroverError, type ErrorCode } from '../model/errors.js';
import { formatIssues, pathText, sortIssues, type FileIssue, type Path } from './issues.js';
import { parseYaml, type ParsedYaml } from './yaml-syntax.js';
import { checkSchema } from './zod-issues.js';

export { formatIssues, pathText, sortIssues, type FileIssue, type Path } from './issues.js';
export { checkSchema } from './zod-issues.js';

export interface Point {
  /** Point at the key instead of the value. */
  atKey?: boolean;
  /** Point into a text: characters from its beginning. */
  offset?: number;
}

export interface YamlFile<Value> {
  /** The parsed value; undefined as soon as there is an issue. */
  value?: Value;
  /** The bare value of the YAML, also where the schema refuses it. */
  raw: unknown;
  issues: FileIssue[];
  /** Makes an issue at a place: for checks that a schema can't make. */
  issue(path: Path, message: string, options?: Point & { hint?: string | undefined }): FileIssue;
}

export function readYaml<Schema extends z.ZodType>(
  source: string,
  file: string,
  schema: Schema,
): YamlFile<z.output<Schema>> {
  const yaml = parseYaml(source);
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = yaml.lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const issue: YamlFile<unknown>['issue'] = (path, message, { hint, ...point } = {}) => ({
    file,
    ...at(offsetOf(yaml, source, path, point)),
    path: pathText(path),
    message: path.length === 0 && message.startsWith('must') ? `the file ${message}` : message,
    ...(hint === undefined ? {} : { hint }),
  });
  const syntax = yaml.issues.map(({ offset, ...told }) => ({ file, ...at(offset), path: '', ...told }));
  if (syntax.length > 0) return { raw: undefined, issues: sortIssues(syntax), issue };
  const plain = toPlain(yaml);
  if ('problem' in plain) {
    const problem = { file, ...at(plain.offset), path: '', message: plain.problem };
    return { raw: undefined, issues: [problem], issue };
  }
  if (plain.value === null || plain.value === undefined)
    return { raw: null, issues: [issue([], 'the file is empty')], issue };
  const checked = checkSchema(schema, plain.value);
  const issues = checked.issues.map(({ path, message, ...rest }) => issue(path, message, rest));
  return {
    raw: plain.value,
    issues: sortIssues(issues),
    issue,
    ...(checked.issues.length === 0 && checked.value !== undefined ? { value: checked.value } : {}),
  };
}

/** Throws the error that carries the issues; its message is the list of them. */
export function throwIssues(
  code: Extract<ErrorCode, 'InvalidRunbook' | 'InvalidConfig'>,
  issues: readonly FileIssue[],
): never {
  throw new DroverError(code, formatIssues(issues), { details: { issues } });
}

function toPlain({ document }: ParsedYaml): { value: unknown } | { problem: string; offset: number } {
  try {
    const value: unknown = document?.toJS({ maxAliasCount: 100 });
    // An anchor within itself makes a value without an end, which no one after this expects.
    JSON.stringify(value);
    return { value };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const offset = wrongAlias(document) ?? 0;
    if (message.startsWith('Excessive alias'))
      return { problem: 'the aliases (*name) multiply to a file too large', offset };
    if (!message.startsWith('Unresolved alias'))
      return { problem: 'an alias (*name) stands within its own anchor (&name)', offset };
    return { problem: `the alias *${message.split(': ').at(-1)} has no anchor (&name) before it`, offset };
  }
}

/** Where the first alias is that stands for nothing or for what it is in. */
function wrongAlias(document: ParsedYaml['document']): number | undefined {
  let found: number | undefined;
  if (document === undefined) return found;
  visit(document, {
    Alias(_, alias) {
      const start = startOf(alias) ?? 0;
      const [from, to] = alias.resolve(document)?.range ?? [start, Infinity];
      if (start < from || start >= to) return undefined;
      found = start;
      return visit.BREAK;
    },
  });
  return found;
}

/** Where a path is in the text; of a path that isn't there, where its nearest ancestor is. */
function offsetOf(
  yaml: ParsedYaml,
  source: string,
  path: Path,
  { atKey = false, offset = 0 }: Point,
): number {
  let node: unknown = yaml.document?.contents;
  let key: unknown;
  for (const part of path) {
    while (isAlias(node) && yaml.document !== undefined) node = node.resolve(yaml.document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part));
      if (pair === undefined) return startOf(key) ?? startOf(node) ?? 0;
      key = pair.key;
      node = pair.value;
    } else if (isSeq(node) && typeof part === 'number' && node.items[part] !== undefined) {
      key = undefined;
      node = node.items[part];
    } else {
      return startOf(key) ?? startOf(node) ?? 0;
    }
  }
  if (atKey) return startOf(key) ?? startOf(node) ?? 0;
  const start = startOf(node) ?? startOf(key) ?? 0;
  if (offset === 0 || !isScalar(node) || typeof node.value !== 'string') return start;
  // Only where the text stands in the file as it is, not folded and without escapes.
  const text = source.startsWith(node.value, start) ? start : start + 1;
  return source.startsWith(node.value, text) ? text + offset : start;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
