import { setTimeout as sleep } from 'node:timers/promises';
import { DroverError } from '../model/errors.js';
import type { Caller } from './caller.js';
import { viewRun, type RunView } from './run-view.js';

export interface WatchOptions {
  /** Stops the watching, not the run. */
  signal?: AbortSignal | undefined;
  timeoutSeconds?: number | undefined;
  everyMs?: number | undefined;
}

/** Yields how the run stands, again and again, until it has ended or nobody wants to know any more. */
export async function* watchRun(
  caller: Caller,
  id: string,
  options: WatchOptions = {},
): AsyncGenerator<RunView> {
  const limit =
    options.timeoutSeconds === undefined ? [] : [AbortSignal.timeout(options.timeoutSeconds * 1000)];
  const signal = AbortSignal.any([...(options.signal ? [options.signal] : []), ...limit]);
  // One listener for the whole watch, however long it is.
  const stopped = aborted(signal);
  while (!signal.aborted) {
    const view = await Promise.race([viewRun(caller, id), stopped]);
    if (view === undefined) return;
    yield view;
    if (view.state !== 'running') return;
    await sleep(options.everyMs ?? 1000, undefined, { signal }).catch(() => undefined);
  }
}

async function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return undefined;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  return undefined;
}

/** Throws what a run that has ended came to, unless it succeeded. */
export function assertSucceeded(view: RunView): void {
  if (view.state === 'succeeded' || view.state === 'running') return;
  const hint = `see \`drover run show ${view.id}\``;
  if (view.state === 'terminated') {
    throw new DroverError(
      'Cancelled',
      `run ${view.id} was terminated from outside, without a record of its end`,
      { hint },
    );
  }
  const { code = 'RunFailed', message = `run ${view.id} ${view.state}`, details = {} } = view.error ?? {};
  if (view.state === 'cancelled') {
    const undone = view.undone.length > 0 ? `; taken back: ${view.undone.join('; ')}` : '';
    throw new DroverError('Cancelled', `run ${view.id} was cancelled${undone}`, { details, hint });
  }
  throw new DroverError(code, message, { details, hint });
}
