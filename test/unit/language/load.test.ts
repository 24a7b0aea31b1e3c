import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { didYouMean } from '../../../model/did-you-mean.js';
import { durationSchema, formatDuration, parseDuration } from '../../../model/duration.js';
import { frozenRunbookSchema } from '../../../model/runbook.js';
import { parseKeyValues, resolveInputs } from '../../../runbooks/language/inputs.js';
import { listRunbooks, loadRunbook, shippedFolder } from '../../../runbooks/language/load.js';
import { catalogue } from './catalogue.js';

const folder = mkdtempSync(join(tmpdir(), 'drover-runbooks-'));
const own =
  'name: own\ndescription: Mine.\nsteps:\n  - { id: a, uses: host.enable, with: { host: node-1 } }\n';
writeFileSync(join(folder, 'own.yaml'), own);
writeFileSync(join(folder, 'broken.yaml'), 'name: broken\n');

describe('loading', () => {
  test('a shipped runbook by name, frozen with its text and digest', async () => {
    const frozen = await loadRunbook('drain-host', [folder], catalogue);
    const source = readFileSync(join(shippedFolder(), 'drain-host.yaml'), 'utf8');
    expect(frozen.digest).toBe(createHash('sha256').update(source).digest('hex'));
    expect(frozen.source).toBe(source);
    // It travels as JSON, and the worker that takes it parses it again.
    expect(frozenRunbookSchema.parse(JSON.parse(JSON.stringify(frozen)))).toEqual(frozen);
  });

  test('the same by the path of a file, and one of the user by name', async () => {
    expect(await loadRunbook(join(folder, 'own.yaml'), [], catalogue)).toEqual(
      await loadRunbook('own', [folder], catalogue),
    );
  });

  test('a changed text has another digest', async () => {
    const before = await loadRunbook('own', [folder], catalogue);
    writeFileSync(join(folder, 'own.yaml'), `${own}# a comment\n`);
    expect((await loadRunbook('own', [folder], catalogue)).digest).not.toBe(before.digest);
  });

  test('what is not there is told with what may be meant', async () => {
    await expect(loadRunbook('drain-hots', [folder], catalogue)).rejects.toMatchObject({
      code: 'NotFound',
      hint: 'did you mean "drain-host"?',
    });
    await expect(loadRunbook('./nothing.yaml', [], catalogue)).rejects.toMatchObject({ code: 'NotFound' });
  });

  test('one with issues carries them', async () => {
    await expect(loadRunbook('broken', [folder], catalogue)).rejects.toMatchObject({
      code: 'InvalidRunbook',
      message: expect.stringContaining('broken.yaml:1:1: the key "description" is missing'),
      details: { issues: expect.arrayContaining([expect.objectContaining({ line: 1, column: 1 })]) },
    });
  });

  test('a list has all of them, also those that can not run', async () => {
    const listed = await listRunbooks([folder, join(folder, 'none')], catalogue);
    const names = listed.map(({ name }) => name);
    expect(names).toEqual(names.toSorted());
    // And what else is shipped.
    expect(listed.map(({ name, issues }) => [name, issues.length > 0])).toEqual(
      expect.arrayContaining([
        ['broken', true],
        ['drain-host', false],
        ['own', false],
      ]),
    );
  });
});

describe('inputs', async () => {
  const { runbook } = await loadRunbook('drain-host', [], catalogue);

  test('texts become values of the declared types, defaults fill in', () => {
    expect(resolveInputs(runbook, parseKeyValues(['host=node-1', 'parallel=4']))).toEqual({
      host: 'node-1',
      timeout: '30m',
      parallel: 4,
      max_failures: 0,
      wait: '10m',
    });
  });

  test('each mistake is named', () => {
    const given = { hots: 'node-1', parallel: '99', max_failures: 'two', wait: 'ten minutes' };
    expect(() => resolveInputs(runbook, given)).toThrow(
      expect.objectContaining({
        code: 'InvalidInput',
        message: [
          'input hots: unknown input — did you mean "host"?',
          'input host: is missing — The host to empty.',
          'input parallel: must be at most 32',
          'input max_failures: must be a number, not "two"',
          'input wait: must be a length of time with its unit, such as 90s, 10m or 2h, not "ten minutes"',
        ].join('\n'),
      }),
    );
  });

  test('every type', () => {
    const inputs = {
      flag: { type: 'boolean' },
      list: { type: 'list' },
      ratio: { type: 'number' },
      mode: { type: 'string', enum: ['cold', 'live'] },
    } as const;
    const resolve = (given: Record<string, unknown>) =>
      resolveInputs(
        { name: 'some', inputs: { ...inputs, mode: { type: 'string', enum: ['cold', 'live'] } } },
        given,
      );
    const texts = { flag: 'yes', list: 'a, b', ratio: '0.5', mode: 'live' };
    const values = { flag: true, list: ['a', 'b'], ratio: 0.5, mode: 'live' };
    expect(resolve(texts)).toEqual(values);
    expect(resolve(values)).toEqual(values);
    expect(() => resolve({ ...texts, mode: 'lvie' })).toThrow('did you mean "live"?');
    expect(() => resolve({ ...texts, flag: 'maybe' })).toThrow(
      'input flag: must be true or false, not "maybe"',
    );
  });

  test.each([['host'], ['=node-1']])('%s is not name=value', (word) => {
    expect(() => parseKeyValues([word])).toThrow('must be name=value');
  });

  test('twice is a mistake, = in a value is not', () => {
    expect(() => parseKeyValues(['a=1', 'a=2'])).toThrow('given twice');
    expect(parseKeyValues(['a=b=c', 'd='])).toEqual({ a: 'b=c', d: '' });
  });
});

test('durations', () => {
  expect(['90s', '10m', '2h', '1h30m', '0s'].map(parseDuration)).toEqual([90, 600, 7200, 5400, 0]);
  expect(['', '10', 'm', '1.5h', '10 m', '-1s', '5m1h'].map(parseDuration)).toEqual(Array(7).fill(undefined));
  expect([0, 59.6, 90, 5400, 7261].map(formatDuration)).toEqual(['0s', '1m', '1m30s', '1h30m', '2h1m1s']);
  expect(durationSchema.safeParse('10').success).toBe(false);
});

test('did you mean', () => {
  const words = ['host', 'parallel', 'max_failures', 'instance.live-migrate'];
  const mistyped = [
    'hots',
    'hsot',
    'paralel',
    'max-failures',
    'maxFailures',
    'instance.livemigrate',
    'zebra',
    '',
  ];
  expect(mistyped.map((word) => didYouMean(word, words))).toEqual([
    'host',
    'host',
    'parallel',
    'max_failures',
    'max_failures',
    'instance.live-migrate',
    undefined,
    undefined,
  ]);
});
