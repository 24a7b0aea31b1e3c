import { expect, test } from 'vitest';
import { failureOf } from '../../../activities/attempt.js';
import { activityLimits, attemptLimit } from '../../../activities/limits.js';
import { DroverError, type ErrorCode } from '../../../model/errors.js';

const { read, quick, record, long } = activityLimits;
const again = (error: Error, elapsedMs: number, patienceMs: number | null = read.patience, attempt = 3) => {
  const failure = failureOf(error, { attempt, elapsedMs, patienceMs, cancelled: false });
  return !failure.cancelled && failure.again;
};
const of = (code: ErrorCode) => new DroverError(code, 'so');

test('the inventory is waited for in every class; what else is wrong has the patience of the class', () => {
  for (const { patience } of [read, quick, record, long])
    expect(again(of('InventoryUnavailable'), 3_600_000, patience)).toBe(true);
  expect(again(of('TemporalUnreachable'), 59_000)).toBe(true);
  expect(again(of('TemporalUnreachable'), 60_000)).toBe(false);
  expect(again(of('TemporalUnreachable'), 60_000, quick.patience)).toBe(true);
  expect(again(of('TemporalUnreachable'), 3_600_000, null)).toBe(true);
  expect(again(of('HypervisorUnreachable'), 21_000)).toBe(false);
  expect(again(of('WrongState'), 0)).toBe(false);
  expect(again(new Error('a bug'), 59_000)).toBe(true);
  expect(again(new Error('a bug'), 60_000)).toBe(false);
  expect(again(new Error('a bug'), 0, null, 10)).toBe(false);
});

test('a cancel that was heard ends it, whatever is away', () => {
  const heard = { attempt: 1, elapsedMs: 0, patienceMs: null, cancelled: true };
  expect(failureOf(of('Cancelled'), heard)).toEqual({ cancelled: true });
  expect(failureOf(of('InventoryUnavailable'), heard)).toMatchObject({ cancelled: false, again: false });
});

test('the last attempt within the patience gets what is left of it, one after a wait for the inventory a whole one', () => {
  expect(attemptLimit(read, 0)).toBe(20_000);
  expect(attemptLimit(read, 55_000)).toBe(5000);
  expect(attemptLimit(read, 61_000)).toBe(20_000);
  expect(attemptLimit(long, 61_000)).toBe(long.startToClose);
});

test('Temporal lets a step wait for the inventory for a day', () => {
  for (const { scheduleToClose } of [read, quick, record, long])
    expect(scheduleToClose ?? Infinity).toBeGreaterThanOrEqual(86_400_000);
});
