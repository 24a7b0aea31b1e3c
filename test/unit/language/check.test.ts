import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkRunbook } from '../../../runbooks/language/check.js';
import { runbookJsonSchema } from '../../../runbooks/language/json-schema.js';
import { checkFiles, loadRunbook, shippedFolder } from '../../../runbooks/language/load.js';
import { operations, queries } from '../../../workflows/catalogue.js';
import { catalogue } from './catalogue.js';

const shipped = readdirSync(shippedFolder()).filter((file) => file.endsWith('.yaml'));
const read = (file: string): string => readFileSync(join(shippedFolder(), file), 'utf8');
const drain = read('drain-host.yaml');

describe('shipped runbooks', () => {
  const real = {
    operations: new Map([...operations].map(([key, { summary, input }]) => [key, { key, summary, input }])),
    queries: new Map(Object.entries(queries)),
  };

  test.each(shipped)('%s has no issue, nor those that it uses, and the name of its file', async (file) => {
    expect(await checkFiles([{ file, source: read(file) }], [], real)).toEqual([[]]);
    const { name } = await loadRunbook(file.replace('.yaml', ''), [], real);
    expect(`${name}.yaml`).toBe(file);
  });
});

test('the schema for editors knows operations, their inputs and queries', () => {
  const schema = JSON.stringify(runbookJsonSchema(catalogue));
  expect(schema).toContain('draft-07');
  expect(schema).toContain('"enum":["instance.live-migrate"');
  expect(schema).toContain('"enum":["instances","hosts"]');
  expect(schema).toContain('Cap in MiB per second');
});

/** Whatever is in the file: an answer, no exception, and each issue has a place. */
function answers(source: string): void {
  const { runbook, issues } = checkRunbook(source, 'some.yaml', catalogue);
  expect(runbook === undefined).toBe(issues.length > 0);
  const lines = source.split('\n').length;
  for (const { line, column, message } of issues) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(message).not.toBe('');
  }
}

describe('fuzz', { timeout: 60_000 }, () => {
  const pieces = [
    '${{',
    '}}',
    '{',
    '}',
    '[',
    ']',
    ': ',
    '- ',
    '\n',
    '  ',
    '\t',
    '"',
    "'",
    '!',
    '&a ',
    '*a',
    '|',
    '>',
    '#',
    '%',
    '\0',
    '\r',
    '?',
    ',',
    'steps',
    'item',
    '..',
    '1e999',
    '.nan',
    '__proto__',
    '😀',
  ];
  const piece = fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 8, unit: 'binary' }));
  const edit = fc.record({ at: fc.nat(drain.length), cut: fc.nat(30), put: piece });

  test('edits of a valid runbook', () => {
    const property = fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
      answers(
        edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), drain),
      );
    });
    fc.assert(property, { numRuns: 500 });
  });

  test('lines lost, doubled and moved', () => {
    const lines = drain.split('\n').filter((line) => !line.trimStart().startsWith('#'));
    const choice = fc.array(fc.nat(lines.length - 1), { maxLength: 60 });
    fc.assert(
      fc.property(choice, (places) => answers(places.map((place) => lines[place]).join('\n'))),
      { numRuns: 300 },
    );
  });

  test('values of another kind', () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }).map((json) => JSON.stringify(json)),
      piece,
    );
    const places = [...drain.matchAll(/: (?=\S)/g)].map((match) => match.index + 2);
    const property = fc.property(fc.constantFrom(...places), value, (place, put) => {
      answers(drain.slice(0, place) + put + drain.slice(place).replace(/^[^\n]*/, ''));
    });
    fc.assert(property, { numRuns: 400 });
  });

  test('expressions', () => {
    const word = fc.constantFrom(
      'inputs',
      '.',
      'host',
      'steps',
      'item',
      '(',
      ')',
      '[',
      ']',
      '+',
      '==',
      '&&',
      '!',
      '?',
      ':',
      '1',
      '"a"',
      ' ',
      'map',
      ',',
      'x',
      '{',
      '}',
      '-',
      '1.5',
      'in',
      'null',
      'has',
    );
    const property = fc.property(fc.array(word, { maxLength: 14 }), (words) => {
      answers(drain.replace('${{ item.id }}', () => JSON.stringify(`\${{ ${words.join('')} }}`)));
    });
    fc.assert(property, { numRuns: 500 });
  });
});
