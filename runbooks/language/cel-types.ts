/** Names of types and places in expressions, for the checker and its messages. */
import type { ASTNode, ObjectSchema } from '@marcbachmann/cel-js';
import { childrenOf } from './cel.js';

/** `list<string>` → "a list of strings", `$steps.move` → "a group of values". */
export function typeName(type: string): string {
  if (type.startsWith('$')) return 'a group of values';
  const list = /^list<(.*)>$/.exec(type)?.[1];
  if (list !== undefined)
    return list === 'dyn' ? 'a list' : `a list of ${(plainNames[list] ?? list).replace(/^an? /, '')}s`;
  return plainNames[type] ?? (type.startsWith('map') ? 'a map' : type);
}

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

/** The keys below a chain of names such as `steps.move`. */
export function fieldsOf(node: ASTNode, variables: Record<string, string | ObjectSchema>): string[] {
  let found: string | ObjectSchema | undefined = variables;
  for (const name of chainOf(node)) {
    found = typeof found === 'object' && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return typeof found === 'object' ? Object.keys(found) : [];
}

/** `steps.move` → ['steps', 'move']; '' for what isn't a name. */
export function chainOf(node: ASTNode): string[] {
  if (node.op === 'id') return [node.args];
  if (node.op !== '.' && node.op !== '[]') return [''];
  const [target, key] = node.args;
  if (typeof key === 'string') return [...chainOf(target), key];
  return [...chainOf(target), key.op === 'value' && typeof key.args === 'string' ? key.args : ''];
}

/** The smallest access (`a.b`, `a["b"]`) that ends where the error does. */
export function accessAt(node: ASTNode, start: number, end: number): ASTNode | undefined {
  for (const child of childrenOf(node)) {
    const found = accessAt(child, start, end);
    if (found !== undefined) return found;
  }
  const covers = node.range.end === end && node.range.start <= start;
  return covers && (node.op === '.' || node.op === '[]') ? node : undefined;
}
