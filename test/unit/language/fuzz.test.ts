/** Trees of the language's own keys with values of every kind: an answer, soon, and each issue has a place in the file. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { runbookSchema } from '../../../model/runbook.js';
import { checkRunbook } from '../../../runbooks/language/check.js';
import { runbookJsonSchema } from '../../../runbooks/language/json-schema.js';
import { shippedFolder } from '../../../runbooks/language/load.js';
import { catalogue } from './catalogue.js';

/** Every word that is a key somewhere in the schema for editors. */
function keysOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own = 'properties' in schema ? Object.keys(Object(schema.properties)) : [];
  return [...own, ...Object.values(schema).flatMap(keysOf)];
}
const keys = [...new Set(keysOf(runbookJsonSchema(catalogue)))];

const word = fc.oneof(
  fc.constantFrom(
    ...catalogue.operations.keys(),
    'query.hosts',
    'query.instances',
    'query.x',
    'runbook.drain-host',
    'runbook.broken',
    'runbook.x',
    '10m',
    '10%',
    '0s',
    'role:admin',
    'TimedOut',
    'host',
    'integer',
    'reject',
    'one',
    'two',
    '${{ inputs.one }}',
    '${{ steps.one.result }}',
    '${{ steps.two.outputs.one }}',
    '${{ item.name }}',
    '${{ result.all(h, h.name == error.code) }}',
    "steps.one.state == 'failed' && has(steps.two.error)",
    '${{ ',
  ),
  fc.string({ maxLength: 6 }),
);
const scalar = fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null), fc.double());
const key = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...keys) }, { weight: 1, arbitrary: word });

const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    scalar,
    fc.dictionary(key, tie('tree'), { maxKeys: 6 }),
    fc.array(tie('tree'), { maxLength: 4 }),
  ),
}));

/** Nearly a step: so the checks beyond the shape are reached as well. */
const id = fc.constantFrom('one', 'two', 'three', 'four');
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 1 });
const bare = fc.record(
  {
    id,
    name: word,
    uses: fc.constantFrom(...catalogue.operations.keys(), 'query.hosts', 'query.x', 'runbook.drain-host'),
    with: fc.dictionary(fc.constantFrom('host', 'instance', 'reason', 'wait', 'x'), scalar, { maxKeys: 3 }),
    if: word,
    'for-each': fc.oneof(fc.array(scalar, { maxLength: 3 }), fc.constant({ query: 'instances' }), word),
    'max-failures': fc.constantFrom(1, '10%', '${{ inputs.one }}'),
    approve: fc.constantFrom({}, { count: 3, from: ['anna'] }, { message: '${{ steps.one.done }}' }),
    wait: fc.constantFrom('1m', '0s', '${{ inputs.one }}'),
    until: word,
    timeout: fc.constantFrom('1h', '${{ steps.one.done }}'),
    retry: fc.constantFrom({ attempts: 2 }, { attempts: 3, on: ['X'] }),
    outputs: fc.dictionary(id, scalar, { maxKeys: 2 }),
    undo: fc.record(
      { uses: fc.constantFrom('host.enable', 'query.hosts'), if: word },
      { requiredKeys: ['uses'] },
    ),
  },
  { requiredKeys: ['id'] },
);
const step = fc
  .tuple(
    bare,
    optional(fc.array(bare, { minLength: 2, maxLength: 3 })),
    optional(fc.array(bare, { minLength: 1, maxLength: 2 })),
  )
  .map(([own, parallel, failed]) => ({
    ...own,
    ...(parallel && { parallel }),
    ...(failed && { 'on-failure': failed }),
  }));
const nearly = fc
  .record({
    steps: fc.array(step, { minLength: 1, maxLength: 4 }),
    last: optional(fc.array(bare, { minLength: 1, maxLength: 2 })),
  })
  .map(({ steps, last }) => ({
    name: 'fuzz',
    description: 'Some.',
    inputs: { one: { type: 'integer', default: 1 } },
    steps,
    ...(last && { finally: last, 'on-failure': last }),
  }));

let slowest = 0;
function answers(source: string): void {
  const start = performance.now();
  const { runbook, issues } = checkRunbook(source, 'some.yaml', catalogue);
  slowest = Math.max(slowest, performance.now() - start);
  expect(runbook === undefined).toBe(issues.length > 0);
  const lines = source.split(/\r\n|\n/);
  for (const { line, column, message } of issues) {
    expect(message).not.toBe('');
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1);
  }
}

describe('fuzz', { timeout: 120_000 }, () => {
  test('arbitrary text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), answers), { numRuns: 500 });
  });

  test("trees of the schema's keys", () => {
    fc.assert(
      fc.property(tree, (value) => answers(stringify(value))),
      { numRuns: 500 },
    );
  });

  test('what is nearly right, beyond its shape', () => {
    let wellShaped = 0;
    fc.assert(
      fc.property(nearly, (value) => {
        answers(stringify(value));
        if (runbookSchema.safeParse(JSON.parse(JSON.stringify(value))).success) wellShaped += 1;
      }),
      { numRuns: 500 },
    );
    // Or it would only ever test the shape.
    expect(wellShaped).toBeGreaterThan(20);
  });

  test.each(readdirSync(shippedFolder()).filter((file) => file.endsWith('.yaml')))('edits of %s', (file) => {
    const source = readFileSync(join(shippedFolder(), file), 'utf8');
    const edit = fc.record({ at: fc.nat(source.length), cut: fc.nat(20), put: fc.oneof(word, key) });
    const edits = fc.array(edit, { minLength: 1, maxLength: 5 });
    const property = fc.property(edits, (made) =>
      answers(
        made.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), source),
      ),
    );
    fc.assert(property, { numRuns: 200 });
  });

  test('none took long', () => expect(slowest).toBeLessThan(10_000));
});
