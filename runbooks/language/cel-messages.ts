/** Tells the errors of CEL in the words of a runbook, with what was probably meant. */
import type { ASTNode } from '@marcbachmann/cel-js';
import { didYouMean } from '../../model/did-you-mean.js';
import type { RunbookInput } from '../../model/runbook-inputs.js';
import { language } from './cel.js';
import { accessAt, chainOf, fieldsOf, typeName, typeOf, type Names } from './cel-types.js';
import type { Hidden } from './scope.js';

export interface Surroundings extends Names {
  inputs: Readonly<Record<string, RunbookInput>>;
  /** The steps that are not seen from here, and why. */
  hidden: ReadonlyMap<string, Hidden>;
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
      const found = ast === undefined ? undefined : accessAt(ast, offset, end);
      return { offset, ...unknownKey(lastWord(cel.summary), found, source.slice(end), surroundings) };
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
  if (error.name !== 'ParseError') return { offset, ...otherError(cel.summary, source) };
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

function otherError(summary: string, source: string): Told {
  const index = /^List index must be int, got '(.*)'$/.exec(summary)?.[1];
  if (index !== undefined) {
    return { message: `a list has no named parts, only places: [0]`, hint: sizeHint(source) };
  }
  const [, loop, type] = /^(\w+)\(.*must return bool, got '(.*)'$/.exec(summary) ?? [];
  if (loop === undefined || type === undefined) return { message: typesIn(summary) };
  return { message: `what ${loop}() asks of each must be true or false, not ${typeName(type)}` };
}

type Told = Omit<ExpressionIssue, 'offset'>;

function unknownVariable(name: string, after: string, { variables, inputs }: Surroundings): Told {
  const message = `unknown name "${name}"`;
  const place = elsewhere[name];
  if (place !== undefined) {
    return { message: `${name} is there only in ${place}`, hint: instead[name] };
  }
  if (/^\s*:/.test(after)) return { message, hint: `a key of a map is a string: "${name}"` };
  if (Object.hasOwn(inputs, name)) return { message, hint: `write inputs.${name}` };
  const { steps } = variables;
  if (typeof steps === 'object' && Object.hasOwn(steps, name))
    return { message, hint: `write steps.${name}` };
  const known = Object.keys(variables);
  const meant = didYouMean(name, known);
  return {
    message,
    hint: meant === undefined ? `known here: ${known.join(', ')}` : `did you mean "${meant}"?`,
  };
}

/** Names that stand for something only at some places. */
const elsewhere: Record<string, string> = {
  item: 'the with and the undo of a step that has for-each',
  index: 'the with and the undo of a step that has for-each',
  result: 'until and in the outputs of a step that has uses',
  error: 'on-failure',
  steps: 'steps and outputs: this is settled before the run begins',
  run: 'steps and outputs: this is settled before the run begins',
};

const instead: Record<string, string> = {
  result: 'of a step before write steps.ID.result',
  error: 'of a step before write steps.ID.error, which is null where it did not fail',
};

const whyHidden: Record<Hidden, (id: string) => Told> = {
  itself: (id) => ({ message: `the step "${id}" can not use its own outcome` }),
  later: (id) => ({ message: `the step "${id}" comes later`, hint: 'a step sees only the steps before it' }),
  beside: (id) => ({
    message: `the step "${id}" runs at the same time`,
    hint: 'the steps of parallel do not see each other; those after it see them all',
  }),
  around: (id) => ({ message: `the step "${id}" holds this one, so it has not ended here` }),
};

function unknownKey(
  key: string,
  found: ReturnType<typeof accessAt>,
  after: string,
  { hidden, ...names }: Surroundings,
): Told {
  const [target] = found?.access.args ?? [];
  const type = target === undefined ? undefined : typeOf(target, names, found?.loops);
  const known = Object.keys(fieldsOf(type, names) ?? {});
  const chain = target === undefined ? [] : chainOf(target);
  const parent = chain.includes('') ? '' : chain.join('.');
  // `inputs.max-failures`: CEL reads a difference.
  const withDash = /^(-[a-z0-9_]+)+/.exec(after)?.[0];
  const whole = withDash === undefined ? undefined : (key + withDash).replaceAll('-', '_');
  if (whole !== undefined && known.includes(whole)) {
    return { message: `"-" is a minus here`, hint: `write ${parent}.${whole}` };
  }
  const why = parent === 'steps' ? hidden.get(key) : undefined;
  if (why !== undefined) return whyHidden[why](key);
  const kind = kindOf(chain, parent);
  const message = kind.startsWith('part') ? `"${key}" is no ${kind}` : `unknown ${kind} "${key}"`;
  const meant = didYouMean(key, known);
  if (meant !== undefined) return { message, hint: `did you mean "${meant}"?` };
  const none = parent === 'steps' ? 'no step comes before this one' : `${parent || 'it'} has none`;
  return { message, hint: known.length === 0 ? none : `known here: ${known.join(', ')}` };
}

function kindOf(chain: readonly string[], parent: string): string {
  if (parent === 'inputs') return 'input';
  if (parent === 'steps') return 'step';
  if (chain[0] === 'steps' && chain[2] === 'outputs' && chain.length === 3)
    return `output of the step ${chain[1]}`;
  return `part of ${parent || 'it'}`;
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
  /\.(length|size)\b(?!\()/.test(source) ? 'its length is size(…)' : undefined;
