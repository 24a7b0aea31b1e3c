/** While a run is paused nothing new starts: no step, no item, no attempt. What runs goes on. */
import type { Run } from './run-state.js';
import type { Runtime } from './runtime.js';

/** Waits while the run is paused; throws Cancelled. */
export async function whileGoing(run: Run, rt: Runtime): Promise<void> {
  while (isPaused(run)) await rt.until(() => !isPaused(run), null);
}

/** For a pool: null while the run goes on. A cancel ends the wait, and the pool sees it by itself. */
export const heldBack = (run: Run, rt: Runtime) => (): Promise<void> | null =>
  isPaused(run) ? whileGoing(run, rt).catch(() => undefined) : null;

export function pauseRun(run: Run, by: string, reason: string | null, now: number): void {
  run.paused = { by, at: new Date(now).toISOString(), reason };
  run.pausedAt = now;
}

export function resumeRun(run: Run, now: number): void {
  run.pausedMs = pausedFor(run, now);
  run.paused = null;
  run.pausedAt = null;
}

/** Milliseconds for which the run has been paused in all. */
export const pausedFor = (run: Run, now: number): number =>
  run.pausedMs + (run.pausedAt === null ? 0 : now - run.pausedAt);

/** What is done at the end is done at once. */
const isPaused = (run: Run): boolean => run.paused !== null && !run.closing;
