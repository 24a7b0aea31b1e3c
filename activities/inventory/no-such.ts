import { didYouMean } from '../../model/did-you-mean.js';

/** ` — did you mean "x"?`, or nothing when no known name is near. */
export function suggestion(word: string, names: readonly string[]): string {
  const guess = didYouMean(word, names);
  return guess === undefined ? '' : ` — did you mean "${guess}"?`;
}
