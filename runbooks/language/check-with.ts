/** Checks the input that a runbook gives to an operation or a query. */
import { z } from 'zod';
import { checkSchema, type FileIssue, type Path, type YamlFile } from '../../config/yaml-file.js';
import { didYouMean } from '../../model/did-you-mean.js';
import { typeName } from './cel-types.js';
import { partsHint, type CheckedText, type expressionChecker } from './expression-check.js';
import { hasExpression } from './template.js';
import { mayFit, wantedInWords } from './types.js';

export type Checker = ReturnType<typeof expressionChecker>;
export type Issues = Pick<YamlFile<unknown>, 'issue'>;

export interface GivenInput {
  /** Of the step, the undo or the for-each that has the `with`. */
  path: Path;
  /** Its name in messages: `instance.live-migrate`. */
  taker: string;
  schema: z.ZodObject;
  given: Readonly<Record<string, unknown>> | undefined;
  /** The key that holds it; default `with`. */
  key?: string;
}

export function checkWith(
  { path, taker, schema, given, key: holder = 'with' }: GivenInput,
  checker: Checker,
  file: Issues,
): FileIssue[] {
  const shape: Record<string, unknown> = schema.shape;
  const known = Object.keys(shape);
  const at = given === undefined ? path : [...path, holder];
  const unknown = Object.keys(given ?? {}).filter((key) => !Object.hasOwn(shape, key));
  const meant = new Set(unknown.map((key) => didYouMean(key, known)));
  const issues = unknown.map((key) => {
    const likely = didYouMean(key, known);
    const hint =
      likely === undefined ? `it takes ${known.join(', ') || 'nothing'}` : `did you mean "${likely}"?`;
    return file.issue([...at, key], `${taker} takes no "${key}"`, { atKey: true, hint });
  });
  for (const [key, field] of Object.entries(shape)) {
    if (!(field instanceof z.ZodType)) continue;
    const place = [...at, key];
    if (given !== undefined && Object.hasOwn(given, key)) {
      issues.push(...checkValue(given[key], field, place, checker, file));
    } else if (!meant.has(key) && !field.safeParse(undefined).success) {
      const hint = field.description;
      issues.push(file.issue(at, `${taker} needs "${key}" in its ${holder}`, { atKey: true, hint }));
    }
  }
  return issues;
}

/** A value with its expressions; what the expressions give is judged by type, all else by the schema. */
function checkValue(
  value: unknown,
  schema: z.ZodType,
  path: Path,
  checker: Checker,
  file: Issues,
): FileIssue[] {
  if (!holdsExpression(value)) {
    const issues = checkSchema(schema, value).issues;
    if (issues.length > 0)
      return issues.map(({ message, ...rest }) => file.issue([...path, ...rest.path], message, rest));
  }
  if (typeof value !== 'string') return checkTexts(value, path, checker, file);
  return checkTyped(checker.text(value), schema, path, file);
}

/** The issues of one text, and of its type where a schema says what it must be. */
export function checkTyped(checked: CheckedText, schema: z.ZodType, path: Path, file: Issues): FileIssue[] {
  if (checked.type === undefined) return tell(checked, path, file);
  if (mayFit(checked.type, schema)) return [];
  const message = `must be ${wantedInWords(schema)}, but the expression gives ${typeName(checked.type)}`;
  return [file.issue(path, message, { hint: partsHint(checked.fields) })];
}

/** The issues of every text within a value. */
export function checkTexts(value: unknown, path: Path, checker: Checker, file: Issues): FileIssue[] {
  if (typeof value === 'string') return tell(checker.text(value), path, file);
  if (typeof value !== 'object' || value === null) return [];
  const entries: [PropertyKey, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return entries.flatMap(([key, inner]) => checkTexts(inner, [...path, key], checker, file));
}

export function tell(checked: CheckedText, path: Path, file: Issues): FileIssue[] {
  return checked.issues.map(({ message, ...rest }) => file.issue(path, message, rest));
}

export function holdsExpression(value: unknown): boolean {
  if (typeof value === 'string') return hasExpression(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsExpression);
}
