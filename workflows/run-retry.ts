/** Trying again what failed, with longer and longer waits. */
import { errorTable } from '../model/error-table.js';
import { type ErrorCode } from '../model/errors.js';
import type { Retry } from '../model/runbook.js';
import { whileGoing } from './run-pause.js';
import type { Work } from './run-state.js';
import { seconds } from './run-values.js';

/** Refusals that stay what they are until somebody does something about them. */
const lasting: readonly ErrorCode[] = [
  'WrongState',
  'InstanceLocked',
  'PermissionDenied',
  'Unsupported',
  'NeedsRepair',
];

/** Wrong input (exit 2) and a cancel or a rejection (5) never get better by themselves. */
const isTriedAgain = (code: ErrorCode, retry: Retry): boolean =>
  retry.on?.includes(code) ?? (![2, 5].includes(errorTable[code].exit) && !lasting.includes(code));

/**
 * Attempts until one went well (`codeOf` answers null), or what went wrong is not to be tried again. It answers
 * the last attempt: a cancel while it waits leaves what went wrong as it was.
 */
export async function tryAgain<T>(
  work: Work,
  what: string,
  attempt: (number: number) => Promise<T>,
  codeOf: (value: T) => ErrorCode | null,
): Promise<T> {
  const { step, rt, run } = work;
  const { retry } = step;
  if (retry === undefined) return attempt(1);
  for (let number = 1; ; number += 1) {
    const value = await attempt(number);
    const code = codeOf(value);
    const over = number >= retry.attempts || rt.cancelled();
    if (code === null || over || !isTriedAgain(code, retry)) return value;
    try {
      const wait = waitBefore(number + 1, retry, work);
      await rt.sleep(wait * 1000, `${what}: attempt ${number + 1} of ${retry.attempts}`);
      await whileGoing(run, rt);
    } catch (error) {
      if (rt.cancelled()) return value;
      throw error;
    }
  }
}

/** Seconds to wait before the attempt of that number, from 2. */
function waitBefore(number: number, retry: Retry, { scope }: Work): number {
  const first = seconds(retry.backoff, scope, 'retry.backoff');
  const most = seconds(retry['max-backoff'], scope, 'retry.max-backoff');
  return Math.min(first * retry.factor ** (number - 2), most);
}
