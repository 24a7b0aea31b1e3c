/**
 * CEL as runbooks have it. Expressions run in workflows, where the same text must give the same value on
 * every replay and must end soon: what breaks that is refused here, when an expression is parsed.
 */
import { Environment, ParseError, type ASTNode, type ParseResult } from '@marcbachmann/cel-js';

const limits = {
  maxAstNodes: 500,
  maxDepth: 40,
  maxListElements: 200,
  maxMapEntries: 100,
  maxCallArguments: 10,
};

/** A loop in a loop in a loop over a thousand items would hold a workflow task until Temporal gives it up. */
const maxNestedLoops = 2;

const loops = new Set(['map', 'filter', 'all', 'exists', 'exists_one']);

/** The environment without variables: clone it to declare them. */
export const language = arithmeticOnMixedNumbers(
  new Environment({ homogeneousAggregateLiterals: false, unlistedVariablesAreDyn: false, limits }),
);

/** Parses and refuses what must not run in a workflow; throws ParseError. */
export function parseCel(environment: Environment, source: string): ParseResult {
  const parsed = environment.parse(source);
  refuse(parsed.ast, 0);
  return parsed;
}

/** The nodes directly below a node. */
export function childrenOf(node: ASTNode): ASTNode[] {
  const found: ASTNode[] = [];
  gather(node.args, found);
  return found;
}

function gather(value: unknown, found: ASTNode[]): void {
  if (Array.isArray(value)) for (const one of value) gather(one, found);
  else if (isNode(value)) found.push(value);
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'range' in value;
}

function refuse(node: ASTNode, loopsAround: number): void {
  let inside = loopsAround;
  if (node.op === 'rcall') {
    const [name, , parameters] = node.args;
    // A pattern can take longer than the universe on an innocent text.
    if (name === 'matches')
      fail(node, 'matches() is not available; use contains(), startsWith() or endsWith()');
    // Their answer depends on the time zone (and its tables) of the machine that asks.
    if (/^get[A-Z]/.test(name) && (parameters.length > 0 || name === 'getDayOfYear')) {
      fail(node, `${name}() with a time zone is not available: times are in UTC`);
    }
    if (loops.has(name) && ++inside > maxNestedLoops) {
      fail(node, `loops may be nested ${maxNestedLoops} deep, not more`);
    }
  }
  for (const child of childrenOf(node)) refuse(child, inside);
}

function fail(node: ASTNode, message: string): never {
  throw new ParseError({ code: 'refused', message, node });
}

/**
 * CEL proper has no `double + int`. Numbers that come from JSON are doubles and numbers written in an
 * expression are ints, so without these operators `item.vcpus + 1` would be an error.
 */
function arithmeticOnMixedNumbers(environment: Environment): Environment {
  const operators: Record<string, (left: number, right: number) => number> = {
    '+': (left, right) => left + right,
    '-': (left, right) => left - right,
    '*': (left, right) => left * right,
    '/': (left, right) => left / right,
    '%': (left, right) => left % right,
  };
  for (const [operator, apply] of Object.entries(operators)) {
    const handler = (left: unknown, right: unknown): number => apply(Number(left), Number(right));
    environment.registerOperator(`int ${operator} double: double`, handler);
    environment.registerOperator(`double ${operator} int: double`, handler);
  }
  environment.registerOperator('double % double: double', (left: number, right: number) => left % right);
  // Each registers its mirror image as well.
  environment.registerOperator(
    'int == double: bool',
    (left: unknown, right: unknown) => Number(left) === Number(right),
  );
  return environment;
}
