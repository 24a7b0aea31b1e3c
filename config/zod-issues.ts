/** Tells the issues of a zod schema in the words of a file's author. */
import type { z } from 'zod';
import { didYouMean } from '../model/did-you-mean.js';
import type { Path } from './issues.js';
import { keysAt, schemasAt } from './zod-walk.js';

export interface SchemaIssue {
  path: Path;
  /** Point at the key instead of the value. */
  atKey: boolean;
  message: string;
  hint?: string;
}

/** Checks a value; what is missing is told at the mapping that lacks it. */
export function checkSchema<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): { value?: z.output<Schema>; issues: SchemaIssue[] } {
  const result = schema.safeParse(value, { error: describeIssue, reportInput: true });
  if (result.success) return { value: result.data, issues: [] };
  return { issues: result.error.issues.flatMap((issue) => explain(issue, schema, [])).filter(notRepeated) };
}

/** A mistyped key is unknown and the right one is missing: telling the first is enough. */
function notRepeated(issue: SchemaIssue, _: number, all: SchemaIssue[]): boolean {
  const missing = /^the key "(.*)" is missing$/.exec(issue.message)?.[1];
  return missing === undefined || !all.some((other) => other.hint === `did you mean "${missing}"?`);
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodType, above: Path): SchemaIssue[] {
  const path = [...above, ...issue.path];
  const asTold: SchemaIssue = { path, atKey: false, message: issue.message };
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey(path, key, keysAt(schema, path)));
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined) return [wrongVariant(issue, path)];
  if (issue.code === 'invalid_union') {
    return closest(issue.errors)?.flatMap((inner) => explain(inner, schema, path)) ?? [asTold];
  }
  if (issue.code === 'invalid_key') return [wrongKey(path, issue.issues[0]?.message)];
  if (issue.code === 'invalid_value')
    return [{ ...asTold, ...hint(didYouMean(String(issue.input), issue.values.map(String))) }];
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined && path.length > 0) return [missingKey(path, schema)];
    // A schema with a message of its own means more than a string or a number.
    const told = issue.message.startsWith(`must be ${kinds[issue.expected]}`);
    return [{ ...asTold, ...(told ? quotesHint(issue.expected, issue.input) : {}) }];
  }
  return [asTold];
}

/** A mapping whose `type` (or the like) is missing or unknown. */
function wrongVariant(issue: z.core.$ZodIssueInvalidUnion, path: Path): SchemaIssue {
  const key = issue.discriminator ?? '';
  const given: unknown = isRecord(issue.input) ? issue.input[key] : undefined;
  if (given === undefined) {
    return {
      path: path.slice(0, -1),
      atKey: true,
      message: `the key "${key}" is missing`,
      hint: issue.message,
    };
  }
  const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
  return {
    path,
    atKey: false,
    message: `${issue.message}, not ${kindOf(given)}`,
    ...hint(typeof given === 'string' ? didYouMean(given, options) : undefined),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** YAML takes 17 for a number and "17" for a string: who wrote the one most likely meant the other. */
function quotesHint(expected: string, input: unknown): { hint?: string } {
  if (expected === 'string' && (typeof input === 'number' || typeof input === 'boolean')) {
    return { hint: `put it in quotes: '${input}'` };
  }
  if (typeof input !== 'string') return {};
  const isNumber = (expected === 'number' || expected === 'int') && /^-?\d+(\.\d+)?$/.test(input);
  const isBoolean = expected === 'boolean' && /^(true|false)$/.test(input);
  return isNumber || isBoolean ? { hint: 'leave out the quotes' } : {};
}

function wrongKey(path: Path, rule = 'is not allowed as a key'): SchemaIssue {
  const key = String(path.at(-1));
  const better = key.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');
  const meant = better !== key && /^[a-z]/.test(better) ? { hint: `write "${better}"` } : {};
  return { path, atKey: true, message: `the name ${rule}`, ...meant };
}

function unknownKey(path: Path, key: string, known: readonly string[]): SchemaIssue {
  const meant = didYouMean(key, known);
  const listed = known.length > 0 && known.length <= 24 ? { hint: `known here: ${known.join(', ')}` } : {};
  return {
    path: [...path, key],
    atKey: true,
    message: 'unknown key',
    ...(meant === undefined ? listed : hint(meant)),
  };
}

function missingKey(path: Path, schema: z.ZodType): SchemaIssue {
  const about = schemasAt(schema, path)
    .map((found) => found.description)
    .find((text) => text !== undefined);
  return {
    path: path.slice(0, -1),
    atKey: true,
    message: `the key "${String(path.at(-1))}" is missing`,
    ...(about === undefined ? {} : { hint: about }),
  };
}

const hint = (meant: string | undefined): { hint?: string } =>
  meant === undefined ? {} : { hint: `did you mean "${meant}"?` };

/** Of the branches of a union the one that was meant: its kind of value is right and something within is wrong. */
function closest(
  branches: readonly (readonly z.core.$ZodIssue[])[],
): readonly z.core.$ZodIssue[] | undefined {
  const inside = branches.filter(
    (branch) => !branch.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0),
  );
  return inside.length === 1 ? inside[0] : undefined;
}

/** The words for what a schema refuses; a schema's own `error` comes before this. */
function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type')
    return `must be ${kinds[issue.expected] ?? issue.expected}, not ${kindOf(issue.input)}`;
  if (issue.code === 'invalid_value') {
    return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}, not ${kindOf(issue.input)}`;
  }
  if (issue.code === 'invalid_union') {
    const options = issue['options'];
    return Array.isArray(options)
      ? `must be one of ${options.map(String).join(', ')}`
      : 'has none of the forms that are allowed here';
  }
  if (issue.code === 'too_small')
    return size(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
  if (issue.code === 'too_big')
    return size(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
  return undefined;
}

function size(origin: string, bound: string, limit: number | bigint): string {
  if (origin === 'string')
    return limit === 1 ? 'must not be empty' : `must have ${bound} ${limit} characters`;
  if (origin === 'array')
    return bound === 'at least' && limit === 1 ? 'must not be empty' : `must have ${bound} ${limit} entries`;
  return `must be ${bound} ${limit}`;
}

const kinds: Record<string, string> = {
  string: 'a string',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping (key: value)',
  record: 'a mapping (key: value)',
};

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
