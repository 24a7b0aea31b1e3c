/**
 * Gives templates their values: `${{ inputs.parallel + 1 }}`. Pure and deterministic: the interpreter calls
 * it in workflows. What it may be sure of was checked before the run (expression-check.ts).
 */
import type { ASTNode, ParseResult } from '@marcbachmann/cel-js';
import { DroverError } from '../../model/errors.js';
import type { Runbook } from '../../model/runbook.js';
import { childrenOf, language, parseCel } from './cel.js';
import { conditionTemplate, hasExpression, parseTemplate, type Template } from './template.js';

/** What expressions see of a step that ended. */
export interface StepOutcome {
  /**
   * What the operation returned; of a for-each step the list of what each item returned (empty above 250 items),
   * of a query its list, of a runbook its outputs.
   */
  result: unknown;
  /** Items by how they ended; a step without for-each has one. */
  done: number;
  failed: number;
  refused: number;
  total: number;
  /** As in the record of the step (model/run.ts): `pending` for one that was never reached. */
  state: string;
  /** Why it failed; null, or absent in runs of language 1, where it did not. */
  error?: { code: string; message: string } | null;
  /** By name, all that the step declares: null for what could not be told. */
  outputs?: Readonly<Record<string, unknown>>;
}

/** What expressions see of a step that was not reached, so that `finally` can ask for its state. */
export const pendingOutcome: StepOutcome = {
  result: null,
  done: 0,
  failed: 0,
  refused: 0,
  total: 0,
  state: 'pending',
};

/** An alert as expressions see it. */
export interface AlertScope {
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  /** RFC 3339. */
  starts_at: string;
  fingerprint: string;
}

export interface Scope {
  /** The declarations: they tell an integer input from a number. */
  declared: Runbook['inputs'];
  inputs: Readonly<Record<string, unknown>>;
  /** By id; the steps that have ended. */
  steps: Readonly<Record<string, StepOutcome>>;
  /** Within a step with for-each. */
  item?: unknown;
  /** Within a step with for-each: the place of the item, from 0. */
  index?: number;
  /** In `until` and in the outputs of a step: what the step has at hand. */
  result?: unknown;
  /** In the inputs of `on.alert`. */
  alert?: AlertScope;
  /** In the inputs of `on.schedule`. */
  schedule?: { name: string; time: string };
  /** In `on-failure`: what went wrong. */
  error?: { code: string; message: string };
  run: { id: string };
}

const runtime = language.clone();
for (const name of ['inputs', 'steps', 'item', 'index', 'run', 'result', 'error', 'alert', 'schedule'])
  runtime.registerVariable(name, 'dyn');

const parsed = new Map<string, ParseResult>();
const cacheLimit = 2000;

/** The value of a template: of a text, or of each text within lists and objects. Throws InvalidRunbook. */
export function evaluate(template: unknown, scope: Scope): unknown {
  return walk(template, celScope(scope));
}

/** The truth of an `if`. Throws InvalidRunbook, also when it gives anything but true or false. */
export function evaluateCondition(condition: boolean | string, scope: Scope): boolean {
  if (typeof condition === 'boolean') return condition;
  const value = render(conditionTemplate(condition), celScope(scope));
  if (typeof value === 'boolean') return value;
  throw new DroverError(
    'InvalidRunbook',
    `if: ${condition}: must give true or false, not ${JSON.stringify(value)}`,
  );
}

/** What a template uses, so that the interpreter and the checker know what it waits for. */
export interface References {
  inputs: string[];
  steps: string[];
  item: boolean;
  index: boolean;
}

export function references(template: unknown): References {
  const inputs = new Set<string>();
  const steps = new Set<string>();
  const roots = new Set<string>();
  for (const source of sources(template)) collect(parseCel(runtime, source).ast, { inputs, steps }, roots);
  return { inputs: [...inputs], steps: [...steps], item: roots.has('item'), index: roots.has('index') };
}

function walk(template: unknown, variables: Record<string, unknown>): unknown {
  if (typeof template === 'string') {
    return hasExpression(template) ? render(parseTemplate(template), variables) : template;
  }
  if (Array.isArray(template)) return template.map((entry) => walk(entry, variables));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, walk(value, variables)]));
}

function render(template: Template, variables: Record<string, unknown>): unknown {
  if (template.unclosed !== undefined)
    throw new DroverError('InvalidRunbook', 'an expression ${{ is not closed by }}');
  if (template.single !== undefined) return run(template.single.source, variables);
  return template.pieces
    .map((piece) => (piece.kind === 'words' ? piece.text : asText(run(piece.source, variables))))
    .join('');
}

function run(source: string, variables: Record<string, unknown>): unknown {
  try {
    let program = parsed.get(source);
    if (program === undefined) {
      program = parseCel(runtime, source);
      if (parsed.size >= cacheLimit) parsed.clear();
      parsed.set(source, program);
    }
    return toJson(program(variables));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const summary = 'summary' in error && typeof error.summary === 'string' ? error.summary : error.message;
    const expression = source.trim();
    throw new DroverError('InvalidRunbook', `\${{ ${expression} }}: ${summary}`, { details: { expression } });
  }
}

/** A null in the middle of a text is nothing, as in GitHub Actions; a list or an object is its JSON. */
function asText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** CEL's own numbers are BigInt where they are whole; a declared integer must be one as well, or 3 / 2 would be 1.5. */
function celScope(scope: Scope): Record<string, unknown> {
  const inputs: Record<string, unknown> = { ...scope.inputs };
  for (const [name, input] of Object.entries(scope.declared)) {
    if (input.type === 'integer') inputs[name] = toInt(inputs[name]);
  }
  const steps: Record<string, unknown> = {};
  for (const [id, step] of Object.entries(scope.steps)) {
    const { done, failed, refused, total } = step;
    const counts = { done: toInt(done), failed: toInt(failed), refused: toInt(refused), total: toInt(total) };
    steps[id] = { ...step, ...counts, error: step.error ?? null, outputs: step.outputs ?? {} };
  }
  const variables: Record<string, unknown> = { inputs, steps, run: scope.run };
  if ('item' in scope) variables['item'] = scope.item;
  if (scope.index !== undefined) variables['index'] = toInt(scope.index);
  if ('result' in scope) variables['result'] = scope.result;
  if (scope.error !== undefined) variables['error'] = scope.error;
  if (scope.alert !== undefined) variables['alert'] = scope.alert;
  if (scope.schedule !== undefined) variables['schedule'] = scope.schedule;
  return variables;
}

function toInt(value: unknown): unknown {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
}

/** Values go into Temporal's payloads, so they end as JSON. */
function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return safeNumber(Number(value));
  if (typeof value === 'number') return safeNumber(value);
  if (value === null || value === undefined) return null;
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(toJson);
  const prototype: unknown = Object.getPrototypeOf(value);
  // Not `=== Object.prototype`: a plain object may come from another realm (the sandbox, a test runner).
  if (prototype === null || Object.getPrototypeOf(prototype) === null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toJson(inner)]));
  }
  if ('seconds' in value) return `${Number(value.seconds)}s`;
  if (value instanceof Date) return value.toISOString();
  throw new Error('the value is neither text, number, boolean, list nor map');
}

function safeNumber(value: number): number {
  // JSON has no infinity: it would arrive as null.
  if (!Number.isFinite(value)) throw new Error('the result is not a number (a division by zero?)');
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) throw new Error('the result is too large to be exact');
  return value;
}

function sources(template: unknown): string[] {
  if (typeof template === 'string') {
    return parseTemplate(template).pieces.flatMap((piece) =>
      piece.kind === 'expression' ? [piece.source] : [],
    );
  }
  if (typeof template !== 'object' || template === null) return [];
  return Object.values(template).flatMap(sources);
}

function collect(node: ASTNode, names: Record<'inputs' | 'steps', Set<string>>, roots: Set<string>): void {
  if (node.op === 'id') roots.add(node.args);
  if (node.op === '.' || node.op === '[]') {
    const [target, key] = node.args;
    const name = typeof key === 'string' ? key : key.op === 'value' ? key.args : undefined;
    if (
      target.op === 'id' &&
      (target.args === 'inputs' || target.args === 'steps') &&
      typeof name === 'string'
    ) {
      names[target.args].add(name);
    }
  }
  for (const child of childrenOf(node)) collect(child, names, roots);
}
