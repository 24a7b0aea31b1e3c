import { setTimeout as sleep } from 'node:timers/promises';
import { getOperation } from '../activities/inventory/records.js';
import { listRunItems } from '../activities/inventory/run-items.js';
import { DroverError } from '../model/errors.js';
import type { RunItemRow } from '../model/run.js';
import type { Caller } from './caller.js';
import { viewRun, type RunningItem, type RunView } from './run-view.js';

export interface WatchOptions {
  /** Stops the watching, not the run. */
  signal?: AbortSignal | undefined;
  timeoutSeconds?: number | undefined;
  everyMs?: number | undefined;
}

export interface Look {
  view: RunView;
  /** Items that ended since the last look, or at its very moment. */
  ended: RunItemRow[];
}

/** Yields how the run stands, again and again, until it has ended or nobody wants to know any more. */
export async function* watchRun(
  caller: Caller,
  id: string,
  options: WatchOptions = {},
): AsyncGenerator<Look> {
  const limit =
    options.timeoutSeconds === undefined ? [] : [AbortSignal.timeout(options.timeoutSeconds * 1000)];
  const signal = AbortSignal.any([...(options.signal ? [options.signal] : []), ...limit]);
  // One listener for the whole watch, however long it is.
  const stopped = aborted(signal);
  let since: string | undefined;
  let running: RunningItem[] = [];
  while (!signal.aborted) {
    const view = await Promise.race([viewRun(caller, id), stopped]);
    if (view === undefined) return;
    const rows = await listRunItems(caller.inventory, id, { since });
    since = rows.at(-1)?.endedAt ?? since;
    const gone = running.filter((one) => !view.running.some((now) => now.operation === one.operation));
    running = view.running;
    yield { view, ended: [...(await earlyRows(caller, gone)), ...rows] };
    if (view.state !== 'running') return;
    await sleep(options.everyMs ?? 1000, undefined, { signal }).catch(() => undefined);
  }
}

/** Rows are written some at a time. What an operation achieved is in its own record at once, and ends its item. */
async function earlyRows({ inventory }: Caller, gone: readonly RunningItem[]): Promise<RunItemRow[]> {
  const ended = await Promise.all(
    gone.map(async ({ operation, label }) => ({ label, record: await getOperation(inventory, operation) })),
  );
  return ended.flatMap(({ label, record }): RunItemRow[] => {
    const { run, step, item, state, result, endedAt } = record;
    if (state !== 'succeeded' || run === null || step === null || item === null || endedAt === null)
      return [];
    return [{ run, step, key: item, label, attempt: 1, state: 'done', error: null, result, endedAt }];
  });
}

async function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return undefined;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  return undefined;
}

/**
 * Throws what a run that has ended came to, unless it succeeded: Cancelled, Rejected, RunBusy as it is, and RunFailed
 * for everything that went wrong in it.
 */
export function assertSucceeded(view: RunView): void {
  const { id, state, error, undone } = view;
  if (state === 'succeeded' || state === 'running') return;
  const hint = `see \`drover run show ${id}\``;
  if (state === 'terminated') {
    throw new DroverError('Cancelled', `run ${id} was terminated from outside, without a record of its end`, {
      hint,
    });
  }
  const { code = 'RunFailed', message = `run ${id} ${state}`, details = {} } = error ?? {};
  if (state === 'cancelled') {
    const said = undone.length > 0 ? `; taken back: ${undone.join('; ')}` : '';
    throw new DroverError('Cancelled', `run ${id} was cancelled${said}`, { details, hint });
  }
  if (state === 'rejected') throw new DroverError('Rejected', message, { details, hint });
  if (code === 'RunBusy') throw new DroverError(code, message, { details, hint: error?.hint ?? hint });
  throw new DroverError('RunFailed', message, {
    details: code === 'RunFailed' ? details : { ...details, code },
    hint: `${hint}; \`drover run retry ${id}\` tries again what is not done`,
  });
}
