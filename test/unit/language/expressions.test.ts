import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Runbook } from '../../../model/runbook.js';
import { expressionChecker, itemType } from '../../../runbooks/language/expression-check.js';
import {
  evaluate,
  evaluateCondition,
  references,
  type Scope,
} from '../../../runbooks/language/expressions.js';

const declared: Runbook['inputs'] = {
  parallel: { type: 'integer' },
  ratio: { type: 'number' },
  host: { type: 'host' },
  tags: { type: 'list' },
  wait: { type: 'duration' },
};

const scope: Scope = {
  declared,
  inputs: { parallel: 3, ratio: 2, host: 'node-1', tags: ['a', 'b'], wait: '10m' },
  steps: {
    move: { result: { n: 2, list: [5, 6] }, done: 4, failed: 1, refused: 0, total: 5, state: 'succeeded' },
  },
  item: { id: 'web-1', vcpus: 3, name: null },
  index: 2,
  run: { id: 'run-1' },
};

describe('evaluate', () => {
  test.each<[unknown, unknown]>([
    ['no expression', 'no expression'],
    [7, 7],
    [null, null],
    // One expression alone keeps its type, more give a text.
    ['${{ inputs.parallel }}', 3],
    ['  ${{ inputs.parallel }}\n', 3],
    ['${{ inputs.parallel }}${{ inputs.host }}', '3node-1'],
    ['Move ${{ item.id }} from ${{ inputs.host }}', 'Move web-1 from node-1'],
    ['(${{ item.name }})', '()'],
    ['tags: ${{ inputs.tags }}', 'tags: ["a","b"]'],
    // Whole by declaration, not by chance.
    ['${{ inputs.parallel / 2 }}', 1],
    ['${{ inputs.ratio / 4 }}', 0.5],
    ['${{ item.vcpus / 2 }}', 1.5],
    // Numbers of JSON and numbers of the text mix.
    ['${{ item.vcpus + index + 1 }}', 6],
    ['${{ steps.move.done - steps.move.result.n }}', 2],
    ['${{ steps.move.result.list[steps.move.result.n - 1] }}', 6],
    ['${{ item.vcpus % 2 == 1 }}', true],
    ['${{ 3 in steps.move.result.list }}', false],
    ['${{ inputs.tags.map(t, t + "!") }}', ['a!', 'b!']],
    ['${{ {"a": {"b": inputs.parallel}} }}', { a: { b: 3 } }],
    ['x ${{ {"a": {"b": 1}}}} y', 'x {"a":{"b":1}} y'],
    ['${{ "}}" }} ${{ "${{" }}', '}} ${{'],
    ['${{ duration(inputs.wait) }}', '600s'],
    ['${{ inputs.host == "node-1" ? 1 : 2 }}', 1],
    ['${{ run.id }}', 'run-1'],
    [
      { a: ['${{ index }}', { b: '${{ item.id }}' }], c: true },
      { a: [2, { b: 'web-1' }], c: true },
    ],
  ])('%j → %j', (template, value) => {
    expect(evaluate(template, scope)).toEqual(value);
  });

  test.each([
    ['${{ item.zone }}', 'No such key: zone'],
    ['${{ item.constructor }}', 'No such key'],
    ['${{ 1 / 0 }}', 'division by zero'],
    ['${{ 1.0 / 0.0 }}', 'not a number'],
    ['${{ 9007199254740993 }}', 'too large'],
    ['${{ inputs.host.matches("(a+)+$") }}', 'matches() is not available'],
    ['${{ [1].map(a, [1].map(b, [1].map(c, a))) }}', 'loops may be nested'],
    ['${{ type(1) }}', 'neither text, number'],
    ['${{ inputs.host', 'not closed'],
    ['${{ ' + '('.repeat(100) + '1' + ')'.repeat(100) + ' }}', 'InvalidRunbook'],
  ])('%s is refused', (template, message) => {
    expect(() => evaluate(template, scope)).toThrow(
      expect.objectContaining({
        code: 'InvalidRunbook',
        ...(message === 'InvalidRunbook' ? {} : { message: expect.stringContaining(message) }),
      }),
    );
  });

  test('a step without a loop has no item', () => {
    const { item: _, index: __, ...once } = scope;
    expect(() => evaluate('${{ item.id }}', once)).toThrow('item');
  });

  test('the scope stays as it was', () => {
    const before = structuredClone(scope);
    evaluate('${{ inputs.parallel + steps.move.done }}', scope);
    expect(scope).toEqual(before);
  });
});

describe('conditions', () => {
  test.each<[boolean | string, boolean]>([
    [true, true],
    ['inputs.parallel > 2', true],
    ['${{ steps.move.failed == 0 }}', false],
    ["inputs.host.startsWith('node') && !('c' in inputs.tags)", true],
  ])('%s → %s', (condition, value) => expect(evaluateCondition(condition, scope)).toBe(value));

  test.each(['inputs.parallel', 'on ${{ true }}'])('%s is neither true nor false', (condition) => {
    expect(() => evaluateCondition(condition, scope)).toThrow('must give true or false');
  });
});

test('references', () => {
  const template = {
    a: 'x ${{ inputs.host }}',
    b: ['${{ steps["move"].done + inputs.parallel }}', '${{ item.id }}'],
  };
  expect(references(template)).toEqual({
    inputs: ['host', 'parallel'],
    steps: ['move'],
    item: true,
    index: false,
  });
});

describe('types', () => {
  const checker = expressionChecker({
    inputs: declared,
    steps: { move: { result: 'dyn', outputs: {} } },
    hidden: new Map([['last', 'later']]),
    item: { id: 'string' },
  });

  test.each([
    ['plain', 'string'],
    ['${{ inputs.parallel }}', 'int'],
    ['${{ inputs.ratio * 2 }}', 'double'],
    ['${{ inputs.tags }}', 'list<string>'],
    ['${{ steps.move.result.any.thing + 1 }}', 'dyn'],
    ['${{ item.id + "x" }}', 'string'],
    ['${{ index > 0 }}', 'bool'],
    ['n=${{ inputs.parallel }}', 'string'],
  ])('%s gives %s', (text, type) => expect(checker.text(text)).toMatchObject({ type, issues: [] }));

  test('the offset is that of the mistake', () => {
    const [issue] = checker.text('On ${{ inputs.host + inputs.hots }}').issues;
    expect(issue).toMatchObject({
      offset: 'On ${{ inputs.host + inputs.'.length,
      hint: 'did you mean "host"?',
    });
  });

  test('items of a list', () => {
    expect(itemType('list<string>')).toBe('string');
    // What comes back from JSON is a double, so `3 / 2` must not be checked as a whole number.
    expect(itemType('list<int>')).toBe('double');
    expect(itemType('list<map<string, int>>')).toBe('dyn');
  });
});

test('what workflows import reads no YAML and no file', () => {
  // The workflow sandbox has no Node, and the parser of YAML has no business there.
  const language = ['expressions', 'template', 'cel', 'inputs'].map((name) => `runbooks/language/${name}.ts`);
  const pure = [...language, ...['issues', 'zod-issues', 'zod-walk'].map((name) => `config/${name}.ts`)];
  const root = join(import.meta.dirname, '../../..');
  for (const path of [...pure, ...readdirSync(join(root, 'model')).map((name) => `model/${name}`)]) {
    expect(readFileSync(join(root, path), 'utf8'), path).not.toMatch(/from '(node:|yaml)/);
  }
});
