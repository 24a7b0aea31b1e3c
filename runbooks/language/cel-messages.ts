/** Tells the errors of CEL in the words of a runbook, with what was probably meant. */
import type { ASTNode, ObjectSchema } from '@marcbachmann/cel-js';
import { didYouMean } from '../../model/did-you-mean.js';
import type { RunbookInput } from '../../model/runbook.js';
import { language } from './cel.js';
import { accessAt, chainOf, fieldsOf, typeName } from './cel-types.js';

/** What may be used at a place of the runbook. */
export interface ScopeTypes {
  inputs: Readonly<Record<string, RunbookInput>>;
  /** The ids of the steps before. */
  steps: readonly string[];
  /** The ids of this step and those after it, to tell "later" from "unknown". */
  laterSteps?: readonly string[];
  /** Within a step with for-each: a CEL type or the fields of the item. */
  item?: string | ObjectSchema;
}

export interface Surroundings {
  /** All that the expression sees, as types by name. */
  variables: Record<string, string | ObjectSchema>;
  types: ScopeTypes;
}

export interface ExpressionIssue {
  /** Characters from the beginning of the text. */
  offset: number;
  message: string;
  hint?: string | undefined;
}

const knownFunctions = new Set(
  language
    .clone()
    .getDefinitions()
    .functions.map((definition) => definition.name)
    .filter((name) => name !== 'matches'),
);

export function explainCelError(
  error: unknown,
  source: string,
  ast: ASTNode | undefined,
  surroundings: Surroundings,
): ExpressionIssue {
  if (!(error instanceof Error)) throw error;
  const cel = celParts(error, source);
  const { offset, end } = cel;
  const quoted = source.slice(offset, end).trim();
  switch (cel.code) {
    case 'unknown_variable':
      return { offset, ...unknownVariable(quoted, source.slice(end), surroundings) };
    case 'no_such_key': {
      const access = ast === undefined ? undefined : accessAt(ast, offset, end);
      return { offset, ...unknownKey(lastWord(cel.summary), access, source.slice(end), surroundings) };
    }
    case 'no_such_overload':
      return { offset, ...wrongOperands(cel.summary, quoted) };
    case 'no_matching_overload':
      return { offset, ...wrongCall(cel.summary) };
    case 'cannot_index_type':
      return { offset, message: `${typeName(between(cel.summary))} has no parts`, hint: sizeHint(source) };
    case 'refused':
      return { offset, message: cel.summary };
  }
  const summary = typesIn(cel.summary);
  if (error.name !== 'ParseError') return { offset, message: summary };
  return { offset, ...syntax(cel.summary, source, offset) };
}

function celParts(
  error: Error,
  source: string,
): { code: string; summary: string; offset: number; end: number } {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const summary = 'summary' in error && typeof error.summary === 'string' ? error.summary : error.message;
  const range: unknown = 'range' in error ? error.range : undefined;
  const place = (key: 'start' | 'end', otherwise: number): number => {
    const value: unknown = typeof range === 'object' && range !== null ? Reflect.get(range, key) : undefined;
    return typeof value === 'number' ? Math.min(Math.max(value, 0), source.length) : otherwise;
  };
  const start = place('start', 0);
  // An expression that begins with blanks is told at its first word.
  const blanks = source.slice(start).length - source.slice(start).trimStart().length;
  const end = place('end', source.length);
  return { code, summary, offset: start + blanks < source.length ? start + blanks : start, end };
}

type Told = Omit<ExpressionIssue, 'offset'>;

function unknownVariable(name: string, after: string, { variables, types }: Surroundings): Told {
  const message = `unknown name "${name}"`;
  if (name === 'item' || name === 'index') {
    return { message: `${name} is there only in the with of a step that has for-each` };
  }
  if (/^\s*:/.test(after)) return { message, hint: `a key of a map is a string: "${name}"` };
  if (Object.hasOwn(types.inputs, name)) return { message, hint: `write inputs.${name}` };
  if (types.steps.includes(name)) return { message, hint: `write steps.${name}` };
  const meant = didYouMean(name, Object.keys(variables));
  return {
    message,
    hint:
      meant === undefined ? `known here: ${Object.keys(variables).join(', ')}` : `did you mean "${meant}"?`,
  };
}

function unknownKey(
  key: string,
  access: ASTNode | undefined,
  after: string,
  { variables, types }: Surroundings,
): Told {
  const target =
    access !== undefined && (access.op === '.' || access.op === '[]') ? access.args[0] : undefined;
  const known = target === undefined ? [] : fieldsOf(target, variables);
  const parent = target === undefined ? '' : chainOf(target).join('.');
  // `inputs.max-failures`: CEL reads a difference.
  const withDash = /^(-[a-z0-9_]+)+/.exec(after)?.[0];
  const whole = withDash === undefined ? undefined : (key + withDash).replaceAll('-', '_');
  if (whole !== undefined && known.includes(whole)) {
    return { message: `"-" is a minus here`, hint: `write ${parent}.${whole}` };
  }
  if (parent === 'steps') {
    const [self] = types.laterSteps ?? [];
    if (key === self) return { message: `the step "${key}" can not use its own outcome` };
    if (types.laterSteps?.includes(key) === true) {
      return { message: `the step "${key}" comes later`, hint: 'a step sees only the steps before it' };
    }
  }
  const kind = parent === 'inputs' ? 'input' : parent === 'steps' ? 'step' : `part of ${parent || 'it'}`;
  const message = kind.startsWith('part') ? `"${key}" is no ${kind}` : `unknown ${kind} "${key}"`;
  const meant = didYouMean(key, known);
  if (meant !== undefined) return { message, hint: `did you mean "${meant}"?` };
  const none = parent === 'steps' ? 'no step comes before this one' : `${parent} has none`;
  return { message, hint: known.length === 0 ? none : `known here: ${known.join(', ')}` };
}

function wrongOperands(summary: string, quoted: string): Told {
  const binary = /^no such overload: (.+?) (==|!=|<=|>=|<|>|\+|-|\*|\/|%|in) (.+)$/.exec(summary);
  if (binary === null) {
    const operand = /: ([!-])(.+)$/.exec(summary);
    if (operand === null) return { message: typesIn(summary) };
    const [, operator, type = ''] = operand;
    return {
      message: `${quoted}: ${operator === '!' ? 'not (!)' : 'minus (-)'} does not take ${typeName(type)}`,
    };
  }
  const [, left = '', operator = '', right = ''] = binary;
  const sides = `${typeName(left)} and ${typeName(right)}`;
  const aString = left === 'string' || right === 'string';
  if (operator === 'in') return { message: `${quoted}: ${typeName(left)} can not be in ${typeName(right)}` };
  if (/[=<>]/.test(operator)) {
    const hint =
      aString && /\bint|double/.test(summary) ? 'a string stands in quotes, a number without' : undefined;
    return { message: `${quoted}: ${sides} can not be compared`, hint };
  }
  const hint = operator === '+' && aString ? 'string(…) makes a string of a value' : undefined;
  return { message: `${quoted}: there is no ${operator} for ${sides}`, hint };
}

function wrongCall(summary: string): Told {
  const call = between(summary);
  const name = /([\w]+)\(/.exec(call)?.[1] ?? call;
  const given = /\((.*)\)$/.exec(call)?.[1] ?? '';
  const receiver = /^(.+)\.\w+\(/.exec(call)?.[1];
  if (!knownFunctions.has(name)) {
    const meant =
      didYouMean(name, knownFunctions) ?? (/^(len|length|count)$/.test(name) ? 'size' : undefined);
    return {
      message: `unknown function ${name}()`,
      hint: meant === undefined ? undefined : `did you mean "${meant}"?`,
    };
  }
  const taken = given === '' ? 'nothing' : given.split(', ').map(typeName).join(', ');
  const on = receiver === undefined ? '' : ` on ${typeName(receiver)}`;
  return { message: `${name}() can not be called${on} with ${taken}` };
}

function syntax(summary: string, source: string, offset: number): Told {
  const rest = source.slice(offset).trimEnd();
  if (summary.startsWith('Unterminated')) return { message: 'a quote is opened and not closed' };
  const expected = /^Expected (\w+)/.exec(summary)?.[1];
  const wanted = expected === undefined ? '' : `, ${tokens[expected] ?? expected.toLowerCase()} is missing`;
  if (rest === '') return { message: `the expression ends too early${wanted}` };
  const found = /^\w+|^\S/.exec(rest)?.[0] ?? '';
  const message = /^(Unexpected|Expected)/.test(summary) ? `unexpected "${found}"${wanted}` : summary;
  if (/\b(and|or|not)\b/.test(source)) return { message, hint: 'and is written &&, or is ||, not is !' };
  if (found === '=') return { message, hint: 'equality is written ==' };
  if (found === '&' || found === '|') return { message, hint: `write ${found}${found}` };
  if (found === '$') return { message, hint: 'within an expression names stand alone, without ${{ }}' };
  return { message };
}

const tokens: Record<string, string> = {
  RPAREN: ')',
  RBRACKET: ']',
  RBRACE: '}',
  COLON: ':',
  IDENTIFIER: 'a name',
};

const lastWord = (summary: string): string => summary.split(': ').at(-1) ?? '';
const between = (summary: string): string => /'(.*)'/.exec(summary)?.[1] ?? summary;
const typesIn = (summary: string): string =>
  summary.replaceAll(/'([^']*)'/g, (_, type: string) => typeName(type));
const sizeHint = (source: string): string | undefined =>
  /\.(length|size)\s*$/.test(source) ? 'its length is size(…)' : undefined;
