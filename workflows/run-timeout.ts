/** The time limit of a step: it cancels what the step has running, and nothing else. */
import { formatDuration } from '../model/duration.js';
import { DroverError } from '../model/errors.js';
import { pausedFor, whileGoing } from './run-pause.js';
import type { Work } from './run-state.js';
import { seconds } from './run-values.js';

/** Throws TimedOut, with what was still running. The time for which the run is paused does not count. */
export async function withTimeout<T>(work: Work, doing: () => Promise<T>): Promise<T> {
  const { step, scope, rt, underWay } = work;
  if (step.timeout === undefined) return doing();
  const limit = seconds(step.timeout, scope, 'timeout');
  let running: string[] | null = null;
  const { result, cancel } = rt.scope(doing);
  const clock = rt.scope(async () => {
    await timeIsOver(work, limit * 1000);
    running = [...underWay];
    cancel();
  });
  // It is cancelled as soon as the step has ended.
  clock.result.catch(() => undefined);
  try {
    // A part that can't be cancelled any more ends; when it ended well, so did the step.
    return await result;
  } catch (error) {
    if (running === null || rt.cancelled()) throw error;
    throw timedOut(step.id, limit, running);
  } finally {
    clock.cancel();
  }
}

async function timeIsOver({ run, rt, step }: Work, limitMs: number): Promise<void> {
  const before = pausedFor(run, rt.now());
  let slept = 0;
  for (;;) {
    const left = limitMs + pausedFor(run, rt.now()) - before - slept;
    if (left <= 0) return;
    await rt.sleep(left, `time limit of ${step.id}`);
    slept += left;
    await whileGoing(run, rt);
  }
}

function timedOut(step: string, limit: number, running: string[]): DroverError {
  const shown = running.slice(0, 20).join(', ') + (running.length > 20 ? ', …' : '');
  const what = running.length === 0 ? '' : `; still running: ${shown}`;
  return new DroverError('TimedOut', `${step} did not end within ${formatDuration(limit)}${what}`, {
    details: { step, seconds: limit, running: running.slice(0, 100) },
    hint: 'what was running has been cancelled; try its items again with `drover run retry`, or raise the timeout',
  });
}
