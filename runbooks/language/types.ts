/** Brings three worlds of types together: zod (operations), JSON (what both mean) and CEL (expressions). */
import type { ObjectSchema } from '@marcbachmann/cel-js';
import { z } from 'zod';
import type { Catalogue } from './catalogue.js';
import { isNamed } from './cel-types.js';

type JsonType = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object' | 'null';

const fromCel: Record<string, readonly JsonType[]> = {
  string: ['string'],
  int: ['integer', 'number'],
  // Numbers of items and results are doubles also where they are whole; the operation itself looks at the value.
  double: ['number', 'integer'],
  bool: ['boolean'],
  null: ['null'],
  'google.protobuf.Duration': ['string'],
  'google.protobuf.Timestamp': ['string'],
};

/** Whether a value of the CEL type may do for the schema: false only when it surely may not. */
export function mayFit(celType: string, schema: z.ZodType): boolean {
  if (celType === 'dyn') return true;
  const types = wantedOf(schema);
  return types === undefined || jsonOfCel(celType).some((type) => types.has(type));
}

/** What values of the language itself must be: made once, since what they take is remembered by schema. */
export const wanted = {
  boolean: z.boolean(),
  text: z.string(),
  whole: z.int(),
  /** A number, or a part such as `10%`. */
  share: z.union([z.int(), z.string()]),
};

const wantedBefore = new WeakMap<z.ZodType, { types: Set<JsonType> | undefined }>();

/** The JSON types that a schema takes; undefined when it takes any. */
function wantedOf(schema: z.ZodType): Set<JsonType> | undefined {
  const before = wantedBefore.get(schema);
  if (before !== undefined) return before.types;
  const types = jsonTypes(z.toJSONSchema(schema, { target: 'draft-7', io: 'input', unrepresentable: 'any' }));
  wantedBefore.set(schema, { types });
  return types;
}

function jsonOfCel(celType: string): readonly JsonType[] {
  if (celType === 'failure') return ['object', 'null'];
  if (celType.startsWith('$') || celType.startsWith('map') || isNamed(celType)) return ['object'];
  if (celType.startsWith('list')) return ['array'];
  return fromCel[celType] ?? [];
}

const words: Record<JsonType, string> = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  null: 'null',
};

/** What a schema takes, in words. */
export function wantedInWords(schema: z.ZodType): string {
  return [...(wantedOf(schema) ?? [])].map((type) => words[type]).join(' or ') || 'a value';
}

/** The name of the type of a query's items. */
export const queryType = (query: string): string => `query_${query.replaceAll(/\W/g, '_')}`;

const typesBefore = new WeakMap<Catalogue['queries'], Record<string, ObjectSchema>>();

/** What those names stand for. */
export function queryTypes({ queries }: Catalogue): Record<string, ObjectSchema> {
  const before = typesBefore.get(queries);
  if (before !== undefined) return before;
  const types = Object.fromEntries(
    [...queries.values()].map(({ name, item }) => [queryType(name), celFields(item)]),
  );
  typesBefore.set(queries, types);
  return types;
}

/** The fields of an item for CEL: what isn't a plain value is `dyn`, known only at run time. */
function celFields(item: z.ZodObject): ObjectSchema {
  const schema = z.toJSONSchema(item, { target: 'draft-7', io: 'output', unrepresentable: 'any' });
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, field]) => [name, fieldType(field)]),
  );
}

function fieldType(schema: z.core.JSONSchema._JSONSchema): string | ObjectSchema {
  const types = jsonTypes(schema);
  if (types?.size !== 1 || typeof schema === 'boolean') return 'dyn';
  const [type] = types;
  if (type === 'string') return 'string';
  if (type === 'boolean') return 'bool';
  if (type === 'integer' || type === 'number') return 'double';
  if (type === 'object' && schema.properties !== undefined) {
    return Object.fromEntries(
      Object.entries(schema.properties).map(([name, field]) => [name, fieldType(field)]),
    );
  }
  return type === 'array' ? 'list<dyn>' : 'dyn';
}

/** The JSON types that a JSON Schema allows; undefined when it doesn't say. */
function jsonTypes(schema: z.core.JSONSchema._JSONSchema): Set<JsonType> | undefined {
  if (typeof schema === 'boolean') return undefined;
  if (schema.type !== undefined) return new Set([schema.type].flat());
  if (schema.const !== undefined || schema.enum !== undefined) {
    const values: unknown[] = schema.enum ?? [schema.const];
    return new Set(values.map(jsonTypeOf));
  }
  const options = schema.anyOf ?? schema.oneOf;
  if (options === undefined) return undefined;
  const found = options.map(jsonTypes);
  return found.includes(undefined) ? undefined : new Set(found.flatMap((types) => [...(types ?? [])]));
}

function jsonTypeOf(value: unknown): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'boolean';
  return typeof value === 'object' ? 'object' : 'string';
}
