import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import {
  ApplicationFailure,
  CancelledFailure,
  RetryState,
  TerminatedFailure,
  TimeoutFailure,
  TimeoutType,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import { describeError, exitCodeOf, StillRunning, wantsJson } from '../../../cli/errors.js';
import { asDroverError } from '../../../client/failures.js';
import { DroverError } from '../../../model/errors.js';

const failed = (cause: Error) => new WorkflowFailedError('failed', cause, RetryState.NON_RETRYABLE_FAILURE);

describe('what a workflow ends with becomes a row of the error table', () => {
  const record = new DroverError('NoValidHost', 'no host', {
    details: { a: 1 },
    hint: 'free some',
  }).toRecord();
  test.each([
    [
      ApplicationFailure.create({ message: 'no host', type: 'NoValidHost', details: [record] }),
      'NoValidHost',
      'no host',
      3,
    ],
    [
      ApplicationFailure.create({ message: 'what', type: 'TypeError' }),
      'Internal',
      'stop of a failed: what',
      1,
    ],
    [new CancelledFailure('x'), 'Cancelled', 'stop of a was cancelled', 5],
    [
      new TerminatedFailure('maintenance'),
      'Cancelled',
      'stop of a was terminated from outside ("maintenance")',
      5,
    ],
    [new TimeoutFailure('x', undefined, TimeoutType.START_TO_CLOSE), 'TimedOut', 'stop of a did not end', 1],
  ])('%o', (cause, code, message, exit) => {
    const told = asDroverError(failed(cause), 'stop of a');
    expect(told.code).toBe(code);
    expect(told.message).toContain(message);
    expect(exitCodeOf(told)).toBe(exit);
    expect(told.hint).not.toBe('');
  });

  test('with its details and its hint', () => {
    const cause = ApplicationFailure.create({ message: 'no host', type: 'NoValidHost', details: [record] });
    expect(asDroverError(failed(cause), 'x').toRecord()).toEqual(record);
  });

  test('an update that a run refuses', () => {
    const cause = ApplicationFailure.create({ message: 'no host', type: 'NoValidHost', details: [record] });
    expect(asDroverError(new WorkflowUpdateFailedError('failed', cause), 'x').toRecord()).toEqual(record);
  });

  test('a workflow that Temporal does not know', () => {
    expect(asDroverError(new WorkflowNotFoundError('x', 'id', undefined), 'run 1').code).toBe('NotFound');
  });
});

test('exit codes', () => {
  expect(exitCodeOf(new StillRunning('it runs', 'follow it'))).toBe(6);
  expect(exitCodeOf(new DroverError('TemporalUnreachable', 'x'))).toBe(4);
  expect(exitCodeOf(new DroverError('InstanceBusy', 'x'))).toBe(3);
  expect(exitCodeOf(new CommanderError(1, 'commander.unknownOption', 'error: x'))).toBe(2);
  expect(exitCodeOf(new CommanderError(0, 'commander.helpDisplayed', ''))).toBe(0);
  expect(exitCodeOf(new Error('a bug'))).toBe(1);
});

test('a bug says how to report it, on one line', () => {
  const { message, hint } = describeError(new TypeError('x is not a function\n    at y'));
  expect(message).toBe('x is not a function');
  expect(hint).toContain('DROVER_DEBUG=1');
});

test.each([
  [['-o', 'json'], true],
  [['--output=json'], true],
  [['--json', 'a'], true],
  [['-o', 'yaml'], false],
  [['instance', 'show', 'json'], false],
])('%j wants its errors as JSON: %s', (argv, wants) => expect(wantsJson(argv)).toBe(wants));
