/** Finds comparisons that are never true: with a state that no step has, with an error that there is not. */
import type { ASTNode } from '@marcbachmann/cel-js';
import { didYouMean } from '../../model/did-you-mean.js';
import { errorTable } from '../../model/errors.js';
import type { RunStepState } from '../../model/run.js';
import { childrenOf } from './cel.js';
import type { ExpressionIssue } from './cel-messages.js';
import { chainOf } from './cel-types.js';

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

export function wrongWords(node: ASTNode): ExpressionIssue | undefined {
  if (node.op === '==' || node.op === '!=' || node.op === 'in') {
    const [left, right] = node.args;
    const words = wordsFor(left) ?? (node.op === 'in' ? undefined : wordsFor(right));
    const found =
      words && [left, ...(right.op === 'list' ? right.args : [right])].find((one) => isWrong(one, words));
    if (words && found) return tell(found, words);
  }
  for (const child of childrenOf(node)) {
    const found = wrongWords(child);
    if (found !== undefined) return found;
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
