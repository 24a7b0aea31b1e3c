/** Checks lengths of time and outputs. */
import type { FileIssue, Path } from '../../config/yaml-file.js';
import { parseDuration } from '../../model/duration.js';
import { checkTexts, checkTyped, holdsExpression, type Checker, type Issues } from './check-with.js';
import { storedType } from './expression-check.js';
import { wanted } from './types.js';

/** What a text gives is read as a length of time when the step begins; that it is a text is known now. */
export function checkDuration(
  value: string | undefined,
  path: Path,
  checker: Checker,
  file: Issues,
): FileIssue[] {
  if (value === undefined) return [];
  if (holdsExpression(value)) return checkTyped(checker.text(value), wanted.text, path, file);
  return parseDuration(value) === 0 ? [file.issue(path, 'must be longer than nothing')] : [];
}

export interface CheckedOutputs {
  issues: FileIssue[];
  /** CEL types by name, as whoever uses them sees them. */
  types: Record<string, string>;
}

export function checkOutputs(
  outputs: Readonly<Record<string, unknown>>,
  path: Path,
  checker: Checker,
  file: Issues,
): CheckedOutputs {
  const types: Record<string, string> = {};
  const issues = Object.entries(outputs).flatMap(([name, value]) => {
    types[name] = outputType(value, checker);
    return checkTexts(value, [...path, name], checker, file);
  });
  return { issues, types };
}

function outputType(value: unknown, checker: Checker): string {
  if (typeof value === 'string') return storedType(checker.text(value).type ?? 'dyn');
  if (typeof value === 'number') return 'double';
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? 'list<dyn>' : 'dyn';
}
