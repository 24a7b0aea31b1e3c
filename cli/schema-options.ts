/** Options of a command from a zod schema: what an operation declares, its command takes. */
import { Option, type Command } from 'commander';
import { z } from 'zod';
import { parseDuration } from '../model/duration.js';
import { DroverError } from '../model/errors.js';

/** What `z.toJSONSchema` tells of one key, as far as a flag needs it. */
interface Property {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: string[];
  anyOf?: Property[];
  minimum?: number;
}

interface SchemaFlag {
  key: string;
  flag: string;
  kind: 'boolean' | 'number' | 'text' | 'list' | 'pairs';
  option: Option;
  /** `--no-reserved` beside `--reserved`, where leaving both out means something else: as it was. */
  negation?: Option;
}

/** Flags that every command has; an input of that name gets another flag. */
const renamed: Record<string, string> = {
  wait: 'max-wait',
  timeout: 'abort-after',
  yes: 'agree',
  data: 'content',
};

export const flagName = (key: string): string => {
  const kebab = key
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();
  return renamed[kebab] ?? kebab;
};

/** One option for each key but those in `skip` (arguments, and what the command itself provides). */
export function schemaFlags(schema: z.ZodObject, skip: readonly string[] = []): SchemaFlag[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties)
    .filter(([key]) => !skip.includes(key))
    .map(([key, property]) => flagOf(key, property as Property, required.includes(key)));
}

function flagOf(key: string, property: Property, required: boolean): SchemaFlag {
  const { type, enum: choices, description = '', default: standard } = withoutNull(property);
  const flag = flagName(key);
  const kind = kindOf(type);
  if (kind === 'boolean') {
    const negated = standard === true;
    const option = new Option(
      `--${negated ? 'no-' : ''}${flag}`,
      `${negated ? 'do not: ' : ''}${sentence(description)}`,
    );
    if (standard !== undefined || required) return { key, flag, kind, option };
    const negation = new Option(`--no-${flag}`, `take away: ${sentence(description)}`);
    return { key, flag, kind, option, negation };
  }
  const value = {
    number: 'number',
    text: choices?.join('|') ?? metavar(flag, standard),
    list: flag,
    pairs: 'key=value',
  }[kind];
  const repeat = kind === 'list' || kind === 'pairs' ? ['may be given more than once'] : [];
  const about = [sentence(description) || flag, ...repeat].join('; ');
  const option = new Option(`--${flag} <${value}>`, `${about}${told(standard, kind)}`);
  if (kind === 'list' || kind === 'pairs') option.argParser(collect);
  if (choices) option.choices(choices);
  option.makeOptionMandatory(required);
  return { key, flag, kind, option };
}

function withoutNull(property: Property): Property {
  const real = property.anyOf?.find(({ type }) => type !== 'null');
  return real
    ? { ...property, ...real, description: property.description ?? real.description ?? '' }
    : property;
}

function kindOf(type: string | undefined): SchemaFlag['kind'] {
  if (type === 'boolean') return 'boolean';
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'array') return 'list';
  return type === 'object' ? 'pairs' : 'text';
}

/** What stands for the value in the help: a length of time is known by its default. */
const metavar = (flag: string, standard: unknown): string =>
  typeof standard === 'string' && parseDuration(standard) !== undefined ? 'duration' : flag;
export const sentence = (text: string): string =>
  text.replace(/\.$/, '').replace(/^[A-Z](?=[a-z ])/, (first) => first.toLowerCase());
const told = (value: unknown, kind: string): string =>
  value === undefined || kind === 'list' || kind === 'pairs' || value === null
    ? ''
    : ` (default: ${JSON.stringify(value).replaceAll('"', '')})`;
const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

/** The input as the schema takes it, from the values that commander found; what was not given is left out. */
export function inputFromFlags(
  flags: readonly SchemaFlag[],
  values: Record<string, unknown>,
): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const { key, flag, kind, option } of flags) {
    const value = values[option.attributeName()];
    if (value === undefined || (option.negate && value === true)) continue;
    if (kind === 'number') input[key] = toNumber(flag, value as string);
    else if (kind === 'pairs') input[key] = toPairs(flag, value as string[]);
    else input[key] = value;
  }
  return input;
}

export function addFlags(command: Command, flags: readonly SchemaFlag[]): void {
  for (const { option, negation } of flags) {
    command.addOption(option);
    if (negation) command.addOption(negation);
  }
}

export function toNumber(flag: string, text: string): number {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new DroverError('InvalidInput', `--${flag} takes a number, not "${text}"`);
}

export function toPairs(flag: string, words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const equals = word.indexOf('=');
      if (equals < 1) throw new DroverError('InvalidInput', `--${flag} takes key=value, not "${word}"`);
      return [word.slice(0, equals), word.slice(equals + 1)];
    }),
  );
}
