import { setTimeout as delay } from 'node:timers/promises';

/**
 * Where activities take the time from: the machine, or, in virtual time, a clock that jumps to the next thing
 * that happens. Whatever waits or compares times in an activity or a driver of the simulator asks its clock.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Ends after `ms`, or at once when the signal is aborted; it never throws. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  // The timer removes its listener from the signal, which may live for hours.
  sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
};
