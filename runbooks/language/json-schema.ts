/** What editors complete runbooks from: the schema of the language, with all that a step can use. */
import { z } from 'zod';
import { runbookSchema } from '../../model/runbook.js';
import type { Catalogue, Signature } from './catalogue.js';
import { signatureSchema } from './signature.js';

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** JSON Schema draft-7: editors go no further. */
export function runbookJsonSchema(catalogue: Catalogue): JsonSchema {
  const schema = z.toJSONSchema(runbookSchema, { target: 'draft-7', io: 'input' });
  const step = objectAt(schema, 'properties', 'steps', 'items');
  const plain = objectAt(step, 'properties', 'parallel', 'items');
  // Each holds the same steps: once is enough to read, and to complete from.
  const lists = [
    objectAt(step, 'properties', 'parallel'),
    objectAt(step, 'properties', 'on-failure'),
    objectAt(schema, 'properties', 'on-failure'),
    objectAt(schema, 'properties', 'finally'),
  ];
  for (const list of lists) Object.assign(list, { items: { $ref: '#/definitions/plainStep' } });
  for (const one of [step, plain]) completeStep(one, catalogue);
  return { ...schema, definitions: { plainStep: plain, usesWith: { allOf: inputsOf(catalogue) } } };
}

function completeStep(step: JsonSchema, catalogue: Catalogue): void {
  const operations = [...catalogue.operations.values()].map(({ key, summary }) => [key, summary] as const);
  const queries = [...catalogue.queries.keys()].map((name) => [`query.${name}`, `List ${name}.`] as const);
  const runbooks = runbooksOf(catalogue).map(
    ([name]) => [`runbook.${name}`, 'A run of that runbook.'] as const,
  );
  const pattern = { type: 'string', pattern: '^runbook\\.[a-z][a-z0-9-]*$' };
  const undo = objectAt(step, 'properties', 'undo');
  for (const [user, all] of [
    [step, [...operations, ...queries, ...runbooks]],
    [undo, [...operations, ...runbooks]],
  ] as const) {
    const { description } = objectAt(user, 'properties', 'uses');
    const uses = { description, anyOf: [named(all), pattern] };
    Object.assign(objectAt(user, 'properties'), { uses });
    Object.assign(user, { allOf: [{ $ref: '#/definitions/usesWith' }] });
  }
  Object.assign(step, rules);
  completeLoop(step, catalogue);
}

function completeLoop(step: JsonSchema, { queries }: Catalogue): void {
  for (const loop of objectAt(step, 'properties', 'for-each').anyOf ?? []) {
    if (typeof loop !== 'object' || loop.type !== 'object') continue;
    const all = [...queries.values()];
    Object.assign(objectAt(loop, 'properties', 'query'), { enum: all.map(({ name }) => name) });
    Object.assign(loop, { allOf: all.map(({ name, input }) => inputOf('query', name, input)) });
  }
}

const named = (all: readonly (readonly [string, string])[]): object => ({
  type: 'string',
  enum: all.map(([name]) => name),
  enumDescriptions: all.map(([, summary]) => summary),
});

/** What goes together, as far as editors can tell; `drover runbook check` tells all, and better (check-shape.ts). */
const rules = {
  anyOf: ['uses', 'parallel', 'wait', 'approve'].map((key) => ({ required: [key] })),
  dependencies: {
    wait: { not: { anyOf: [{ required: ['uses'] }, { required: ['parallel'] }] } },
    parallel: { not: { required: ['uses'] } },
    with: ['uses'],
    'for-each': ['uses'],
    'max-parallel': ['for-each'],
    'max-failures': ['for-each'],
    until: ['uses', 'timeout'],
    every: ['until'],
    retry: ['uses'],
    undo: ['uses'],
  },
};

function inputsOf(catalogue: Catalogue): JsonSchema[] {
  return [
    ...[...catalogue.operations.values()].map(({ key, input }) => inputOf('uses', key, input)),
    ...[...catalogue.queries.values()].map(({ name, input }) => inputOf('uses', `query.${name}`, input)),
    ...runbooksOf(catalogue).map(([name, { inputs }]) =>
      inputOf('uses', `runbook.${name}`, signatureSchema(inputs)),
    ),
  ];
}

const runbooksOf = ({ runbooks = new Map() }: Catalogue): [string, Signature][] =>
  [...runbooks].flatMap(([name, signature]) => (signature === null ? [] : [[name, signature]]));

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
