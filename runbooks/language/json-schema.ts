/** What editors complete runbooks from: the schema of the language, with the operations and queries that there are. */
import { z } from 'zod';
import { runbookSchema } from '../../model/runbook.js';
import type { Catalogue } from './catalogue.js';

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** JSON Schema draft-7: editors go no further. */
export function runbookJsonSchema(catalogue: Catalogue): JsonSchema {
  const schema = z.toJSONSchema(runbookSchema, { target: 'draft-7', io: 'input' });
  const step = objectAt(objectAt(schema, 'properties', 'steps'), 'items');
  const operations = [...catalogue.operations.values()];
  const names = {
    enum: operations.map((operation) => operation.key),
    enumDescriptions: operations.map((operation) => operation.summary),
  };
  const inputs = operations.map(({ key, input }) => inputOf('uses', key, input));
  for (const user of [step, objectAt(step, 'properties', 'undo')]) {
    Object.assign(objectAt(user, 'properties', 'uses'), names);
    Object.assign(user, { allOf: inputs });
  }
  const queries = [...catalogue.queries.values()];
  const loops = objectAt(step, 'properties', 'for-each').anyOf ?? [];
  for (const loop of loops) {
    if (typeof loop !== 'object' || loop.type !== 'object') continue;
    Object.assign(objectAt(loop, 'properties', 'query'), { enum: queries.map(({ name }) => name) });
    Object.assign(loop, { allOf: queries.map(({ name, input }) => inputOf('query', name, input)) });
  }
  return schema;
}

/** When `key` is `name`, then `with` has the properties of its input; each may be an expression instead. */
function inputOf(key: 'uses' | 'query', name: string, input: z.ZodObject): JsonSchema {
  const { properties = {}, required = [] } = z.toJSONSchema(input, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
  });
  const given = {
    type: 'object' as const,
    properties: Object.fromEntries(
      Object.entries(properties).map(([field, schema]) => [field, orExpression(schema)]),
    ),
    required,
    additionalProperties: false,
  };
  return {
    if: { type: 'object', properties: { [key]: { const: name } }, required: [key] },
    // oxlint-disable-next-line unicorn/no-thenable -- the word of JSON Schema
    then: { properties: { with: given }, ...(required.length > 0 ? { required: ['with'] } : {}) },
  };
}

function orExpression(schema: z.core.JSONSchema._JSONSchema): JsonSchema {
  if (typeof schema === 'boolean') return {};
  const { description } = schema;
  const expression: JsonSchema = { type: 'string', pattern: '\\$\\{\\{' };
  return { ...(description === undefined ? {} : { description }), anyOf: [schema, expression] };
}

function objectAt(schema: JsonSchema, ...path: readonly string[]): JsonSchema {
  let found: unknown = schema;
  for (const key of path) found = isSchema(found) ? found[key] : undefined;
  if (!isSchema(found)) throw new Error(`the schema of runbooks has no ${path.join('.')}`);
  return found;
}

const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;
