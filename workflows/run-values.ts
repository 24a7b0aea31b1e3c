/** Values of templates in the form in which the interpreter needs them. */
import { parseDuration } from '../model/duration.js';
import { DroverError } from '../model/errors.js';
import { evaluate, type Scope } from '../runbooks/language/expressions.js';

/** Seconds of a length of time. Throws InvalidRunbook. */
export function seconds(template: string, scope: Scope, what: string): number {
  const value = evaluate(template, scope);
  const parsed = typeof value === 'string' ? parseDuration(value) : undefined;
  if (parsed !== undefined) return parsed;
  throw new DroverError(
    'InvalidRunbook',
    `${what}: must give a length of time such as 90s or 10m, not ${JSON.stringify(value)}`,
  );
}

/** A whole number from `least`. Throws InvalidRunbook. */
export function count(template: unknown, scope: Scope, what: string, least: number): number {
  const value = evaluate(template, scope);
  if (typeof value === 'number' && Number.isInteger(value) && value >= least) return value;
  throw new DroverError(
    'InvalidRunbook',
    `${what}: must give a whole number from ${least}, not ${JSON.stringify(value)}`,
  );
}

type Item = Record<string, unknown>;

export const isItem = (value: unknown): value is Item => typeof value === 'object' && value !== null;
export const asText = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
const told = (item: unknown, first: string, second: string): string =>
  isItem(item) ? (asText(item[first]) ?? asText(item[second]) ?? JSON.stringify(item)) : String(item);
export const keyOf = (item: unknown): string => told(item, 'id', 'name');
export const nameOf = (item: unknown): string => told(item, 'name', 'id');
