/**
 * Finds what CEL takes and what is a mistake all the same: comparisons with a state that no step has or an error that
 * there is not, has() of what is never there, and names that are made by an expression.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import { didYouMean } from '../../model/did-you-mean.js';
import { errorTable } from '../../model/error-table.js';
import type { RunStepState } from '../../model/run.js';
import { childrenOf } from './cel.js';
import type { ExpressionIssue } from './cel-messages.js';
import { chainOf, fieldsOf, typeOf, type Names } from './cel-types.js';

/** A step that is seen has ended, or was never reached. */
const states: readonly RunStepState[] = [
  'succeeded',
  'failed',
  'rejected',
  'skipped',
  'cancelled',
  'pending',
];

interface Words {
  what: string;
  known: readonly string[];
  /** Listed when nothing is near. */
  hint: string;
}

export function wrongWords(node: ASTNode, names: Names): ExpressionIssue | undefined {
  const issue = wrongComparison(node) ?? neverThere(node, names) ?? madeName(node);
  if (issue !== undefined) return issue;
  for (const child of childrenOf(node)) {
    const found = wrongWords(child, names);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What it leads to could neither be typed nor found before the run. */
function madeName(node: ASTNode): ExpressionIssue | undefined {
  if (node.op !== '[]') return undefined;
  const [target, key] = node.args;
  if (target.op !== 'id' || !['steps', 'inputs'].includes(target.args) || key.op === 'value')
    return undefined;
  return {
    offset: key.range.start,
    message: `the name after ${target.args} must stand there as it is`,
    hint: `write ${target.args}.NAME`,
  };
}

function neverThere(node: ASTNode, names: Names): ExpressionIssue | undefined {
  if (node.op !== 'call' || node.args[0] !== 'has') return undefined;
  const [asked] = node.args[1];
  if (asked?.op !== '.') return undefined;
  const [target, key] = asked.args;
  const fields = fieldsOf(typeOf(target, names), names);
  if (fields === undefined || Object.hasOwn(fields, key)) return undefined;
  const meant = didYouMean(key, Object.keys(fields));
  const hint =
    meant === undefined ? `known here: ${Object.keys(fields).join(', ')}` : `did you mean "${meant}"?`;
  return { offset: asked.range.start, message: `"${key}" is never there`, hint };
}

function wrongComparison(node: ASTNode): ExpressionIssue | undefined {
  if (node.op === '==' || node.op === '!=' || node.op === 'in') {
    const [left, right] = node.args;
    const words = wordsFor(left) ?? (node.op === 'in' ? undefined : wordsFor(right));
    const found =
      words && [left, ...(right.op === 'list' ? right.args : [right])].find((one) => isWrong(one, words));
    if (words && found) return tell(found, words);
  }
  return undefined;
}

function wordsFor(node: ASTNode): Words | undefined {
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const chain = chainOf(node);
  const place = chain[0] === 'steps' ? chain.slice(2).join('.') : chain.join('.');
  if (chain[0] === 'steps' && place === 'state') {
    return { what: 'no step is', known: states, hint: `it is one of ${states.join(', ')}` };
  }
  if (place !== 'error.code') return undefined;
  return { what: 'there is no error', known: Object.keys(errorTable), hint: 'docs/runbooks.md lists them' };
}

const isWrong = (node: ASTNode, { known }: Words): boolean =>
  node.op === 'value' && typeof node.args === 'string' && !known.includes(node.args);

function tell(node: ASTNode, { what, known, hint }: Words): ExpressionIssue {
  const word = typeof node.args === 'string' ? node.args : '';
  const meant = didYouMean(word, known);
  return {
    offset: node.range.start,
    message: `${what} "${word}"`,
    hint: meant === undefined ? hint : `did you mean "${meant}"?`,
  };
}
