/** Names of types and places in expressions, for the checker and its messages. */
import type { ASTNode, ObjectSchema } from '@marcbachmann/cel-js';
import { childrenOf } from './cel.js';

export type CelType = string | ObjectSchema;

/** What an expression sees: types by name. `named`: what the names of types stand for. */
export interface Names {
  variables: Readonly<Record<string, CelType>>;
  named: Readonly<Record<string, ObjectSchema>>;
}

/** `list<string>` → "a list of strings", `$steps.move` → "a group of values". */
export function typeName(type: string): string {
  if (type.startsWith('$') || isNamed(type)) return 'a group of values';
  const list = elementOf(type);
  if (list !== undefined) {
    if (list === 'dyn') return 'a list';
    return `a list of ${isNamed(list) ? 'groups of values' : `${typeName(list).replace(/^an? /, '')}s`}`;
  }
  return plainNames[type] ?? (type.startsWith('map') ? 'a map' : type);
}

/** The types that a runbook's expressions know beside those of CEL begin like this. */
export const isNamed = (type: string): boolean => /^(query_|runbook_|failure$)/.test(type);

export const elementOf = (type: string): string | undefined => /^list<(.*)>$/.exec(type)?.[1];

const plainNames: Record<string, string> = {
  string: 'a string',
  int: 'an integer',
  double: 'a number',
  bool: 'a boolean',
  dyn: 'a value',
  null: 'null',
  list: 'a list',
  'google.protobuf.Duration': 'a duration',
  'google.protobuf.Timestamp': 'a time',
};

/**
 * The type of what an expression's part stands for, as far as names lead: `steps.hosts.result[0]`, `h` within
 * `result.all(h, …)`.
 */
export function typeOf(node: ASTNode, names: Names, loops: readonly Loop[] = []): CelType | undefined {
  if (node.op === 'id') {
    const loop = loops.findLast(({ variable }) => variable === node.args);
    if (loop !== undefined) return elementType(typeOf(loop.over, names, loops.slice(0, loops.indexOf(loop))));
    return Object.hasOwn(names.variables, node.args) ? names.variables[node.args] : undefined;
  }
  if (node.op === 'rcall' && node.args[0] === 'filter') return typeOf(node.args[1], names, loops);
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const target = typeOf(node.args[0], names, loops);
  const key = keyOf(node);
  if (key === undefined) return elementType(target);
  const fields = fieldsOf(target, names);
  return fields !== undefined && Object.hasOwn(fields, key) ? fields[key] : undefined;
}

/** The parts of a type; undefined where it has no named ones. */
export function fieldsOf(type: CelType | undefined, { named }: Names): ObjectSchema | undefined {
  return typeof type === 'string' ? (Object.hasOwn(named, type) ? named[type] : undefined) : type;
}

const elementType = (type: CelType | undefined): string | undefined =>
  typeof type === 'string' ? elementOf(type) : undefined;

/** `steps.move` → ['steps', 'move']; '' for what isn't a name. */
export function chainOf(node: ASTNode): string[] {
  if (node.op === 'id') return [node.args];
  if (node.op !== '.' && node.op !== '[]') return [''];
  return [...chainOf(node.args[0]), keyOf(node) ?? ''];
}

function keyOf(node: ASTNode & { op: '.' | '[]' }): string | undefined {
  const [, key] = node.args;
  if (typeof key === 'string') return key;
  return key.op === 'value' && typeof key.args === 'string' ? key.args : undefined;
}

/** `variable` goes through `over`: of map, filter, all, exists. */
export interface Loop {
  variable: string;
  over: ASTNode;
}

/** The smallest access (`a.b`, `a["b"]`) that ends where the error does, with the loops around it. */
export function accessAt(
  node: ASTNode,
  start: number,
  end: number,
  loops: readonly Loop[] = [],
): { access: ASTNode & { op: '.' | '[]' }; loops: readonly Loop[] } | undefined {
  const inner = [...loops];
  if (node.op === 'rcall') {
    const [, over, [variable]] = node.args;
    if (variable?.op === 'id') inner.push({ variable: variable.args, over });
  }
  for (const child of childrenOf(node)) {
    const found = accessAt(child, start, end, inner);
    if (found !== undefined) return found;
  }
  const covers = node.range.end === end && node.range.start <= start;
  return covers && (node.op === '.' || node.op === '[]') ? { access: node, loops } : undefined;
}
