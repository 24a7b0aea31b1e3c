import { Command } from 'commander';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { addFlags, flagName, inputFromFlags, schemaFlags, toPairs } from '../../../cli/schema-options.js';
import { durationSchema } from '../../../model/duration.js';
import { operations } from '../../../workflows/catalogue.js';

const schema = z.object({
  instance: z.string(),
  memory_mib: z.int().positive().describe('Its memory in MiB'),
  graceTime: durationSchema.default('60s').describe('How long it may take.'),
  hard: z.boolean().default(false).describe('Cut the power'),
  verify: z.boolean().default(true).describe('verify the copy'),
  mode: z.enum(['a', 'b']).optional(),
  reserved: z.boolean().optional().describe('Keep it free'),
  flavor: z.string().nullable().default(null).describe('Name of the flavor'),
  bridges: z.array(z.string()).default([]).describe('Bridges of the host'),
  metadata: z.record(z.string(), z.string()).default({}),
  timeout: durationSchema.default('30m').describe('Then it is aborted'),
  wait: durationSchema.default('0s').describe('How long to wait'),
});

test('flags, values and texts come from the schema', () => {
  const told = schemaFlags(schema, ['instance']).map(({ option }) => [
    option.flags,
    option.description,
    option.mandatory,
  ]);
  expect(told).toEqual([
    ['--memory-mib <number>', 'its memory in MiB', true],
    ['--grace-time <duration>', 'how long it may take (default: 60s)', false],
    ['--hard', 'cut the power', false],
    ['--no-verify', 'do not: verify the copy', false],
    ['--mode <a|b>', 'mode', false],
    ['--reserved', 'keep it free', false],
    ['--flavor <flavor>', 'name of the flavor', false],
    ['--bridges <bridges>', 'bridges of the host; may be given more than once', false],
    ['--metadata <key=value>', 'metadata; may be given more than once', false],
    ['--abort-after <duration>', 'then it is aborted (default: 30m)', false],
    ['--max-wait <duration>', 'how long to wait (default: 0s)', false],
  ]);
});

const parse = (words: string[]): Record<string, unknown> => {
  const command = new Command().exitOverride();
  const flags = schemaFlags(schema, ['instance']);
  addFlags(command, flags);
  command.parse(words, { from: 'user' });
  return inputFromFlags(flags, command.opts());
};

test('what is given becomes the input, what is not is left to the schema', () => {
  expect(parse(['--memory-mib', '512'])).toEqual({ memory_mib: 512 });
  // Left out, it stays as it was: neither yes nor no.
  expect(parse(['--memory-mib', '1', '--reserved'])).toMatchObject({ reserved: true });
  expect(parse(['--memory-mib', '1', '--no-reserved'])).toMatchObject({ reserved: false });
  const all = [
    '--memory-mib',
    '512',
    '--grace-time',
    '5s',
    '--hard',
    '--no-verify',
    '--bridges',
    'br0',
    '--bridges',
    'br1',
  ];
  expect(
    parse([...all, '--metadata', 'a=b=c', '--abort-after', '1h', '--max-wait', '1m', '--mode', 'b']),
  ).toEqual({
    memory_mib: 512,
    graceTime: '5s',
    hard: true,
    verify: false,
    bridges: ['br0', 'br1'],
    metadata: { a: 'b=c' },
    timeout: '1h',
    wait: '1m',
    mode: 'b',
  });
});

test('a number that is none and a pair that is none are told by their flags', () => {
  expect(() => parse(['--memory-mib', 'much'])).toThrow('--memory-mib takes a number, not "much"');
  expect(() => toPairs('label', ['rack'])).toThrow('--label takes key=value, not "rack"');
});

test('no operation has two options of one name, or one that every command has', () => {
  const common = [
    'wait',
    'no-wait',
    'timeout',
    'dry-run',
    'idempotency-key',
    'yes',
    'output',
    'json',
    'config',
    'data',
    'help',
  ];
  for (const operation of operations.values()) {
    const flags = Object.keys(operation.input.shape).map(flagName);
    expect(new Set(flags).size).toBe(flags.length);
    expect(flags.filter((flag) => common.includes(flag))).toEqual([]);
  }
});
