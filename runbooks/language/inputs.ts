/**
 * Makes the inputs of a run from what was given: texts of the command line, or values of the API. Pure: runs within
 * runs get theirs in workflows.
 */
import { pathText } from '../../config/issues.js';
import { checkSchema } from '../../config/zod-issues.js';
import { didYouMean } from '../../model/did-you-mean.js';
import { DroverError } from '../../model/errors.js';
import { inputValueSchema, type RunbookInput } from '../../model/runbook-inputs.js';
import { type Runbook } from '../../model/runbook.js';

export interface InputIssue {
  input: string;
  message: string;
  hint?: string;
}

/** Checked values with the defaults filled in. Throws InvalidInput that names each wrong one. */
export function resolveInputs(
  runbook: Pick<Runbook, 'name' | 'inputs'>,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const known = Object.keys(runbook.inputs);
  const issues: InputIssue[] = [];
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(runbook.inputs, name)) continue;
    const meant = didYouMean(name, known);
    const listed =
      known.length === 0 ? `${runbook.name} takes none` : `${runbook.name} takes ${known.join(', ')}`;
    issues.push({
      input: name,
      message: 'unknown input',
      hint: meant === undefined ? listed : `did you mean "${meant}"?`,
    });
  }
  const values: Record<string, unknown> = {};
  for (const [name, input] of Object.entries(runbook.inputs)) {
    const raw = Object.hasOwn(given, name) ? given[name] : input.default;
    if (raw === undefined) {
      issues.push({
        input: name,
        message: 'is missing',
        ...(input.description ? { hint: input.description } : {}),
      });
      continue;
    }
    const checked = checkSchema(inputValueSchema(input), typeof raw === 'string' ? coerce(raw, input) : raw);
    values[name] = checked.value;
    for (const { path, message, hint } of checked.issues) {
      issues.push({ input: name + pathText(path), message, ...(hint === undefined ? {} : { hint }) });
    }
  }
  if (issues.length === 0) return values;
  const lines = issues.map(
    ({ input, message, hint }) => `input ${input}: ${message}${hint ? ` — ${hint}` : ''}`,
  );
  throw new DroverError('InvalidInput', lines.join('\n'), {
    details: { issues },
    hint: `see \`drover runbook show ${runbook.name}\`; give inputs as --input name=value`,
  });
}

/** `k=v` words to a record; a value may hold `=`. Throws InvalidInput. */
export function parseKeyValues(words: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    const key = word.slice(0, equals);
    const problem =
      equals < 1 ? 'must be name=value' : Object.hasOwn(values, key) ? 'is given twice' : undefined;
    if (problem !== undefined) throw new DroverError('InvalidInput', `--input ${word}: ${problem}`);
    values[key] = word.slice(equals + 1);
  }
  return values;
}

/** What a text means for the declared type; a text that means nothing stays, for the schema to tell. */
function coerce(text: string, input: RunbookInput): unknown {
  switch (input.type) {
    case 'integer':
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
    case 'boolean':
      return { true: true, yes: true, false: false, no: false }[text.trim().toLowerCase()] ?? text;
    case 'list':
      return text.trim() === '' ? [] : text.split(',').map((entry) => entry.trim());
    case 'string':
    case 'duration':
    case 'host':
    case 'instance':
    case 'flavor':
      break;
  }
  return text;
}
