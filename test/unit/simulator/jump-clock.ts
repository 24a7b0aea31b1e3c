/** A clock that jumps to the next sleeper's end as soon as nothing else is to be done. */
import type { Clock } from '../../../activities/clock.js';

export interface JumpClock extends Clock {
  /** Lets time pass until then, waking whoever sleeps. */
  pass(ms: number): Promise<void>;
}

export function jumpClock(start = Date.UTC(2026, 0, 1)): JumpClock {
  let now = start;
  let order = 0;
  const sleepers = new Set<{ at: number; order: number; wake: () => void }>();
  let waking = false;

  function wakeNext(): void {
    waking = false;
    const [next] = [...sleepers].toSorted((one, other) => one.at - other.at || one.order - other.order);
    if (next === undefined) return;
    sleepers.delete(next);
    now = Math.max(now, next.at);
    next.wake();
    arrange();
  }
  function arrange(): void {
    if (waking || sleepers.size === 0) return;
    waking = true;
    setImmediate(wakeNext);
  }
  const sleep: Clock['sleep'] = (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const end = (): void => {
        sleepers.delete(sleeper);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const sleeper = { at: now + ms, order: (order += 1), wake: end };
      signal?.addEventListener('abort', end);
      sleepers.add(sleeper);
      return arrange();
    });
  return { now: () => now, sleep, pass: (ms) => sleep(ms) };
}
