/** What a run that runs says of itself; it takes a worker to answer. */
import { runWorkflowId } from '../model/addresses.js';
import { progressIn, type ProgressAnswer, type RunProgress } from '../model/run.js';
import type { TemporalConnection } from '../temporal/connect.js';
import type { Caller } from './caller.js';
import { hasWorker, progressOf } from './progress.js';

const queryMs = 3000;

/** Undefined while no worker answers; `notes` tells why. */
export async function askProgress(
  caller: Caller,
  temporal: TemporalConnection,
  id: string,
): Promise<{ progress: RunProgress | undefined; notes: string[] }> {
  const { client } = temporal;
  try {
    const handle = client.workflow.getHandle(runWorkflowId(caller.cloud, id));
    const answer = await client.withDeadline(Date.now() + queryMs, () =>
      handle.query<ProgressAnswer>('progress'),
    );
    return { progress: progressIn(answer), notes: [] };
  } catch {
    // A run of a recovery waits for other workers than the rest.
    const queue = await progressOf(temporal, runWorkflowId(caller.cloud, id)).then(
      (found) => found.queue,
      () => undefined,
    );
    const alive = await hasWorker(temporal, caller.cloud, queue);
    const why =
      alive === false ? 'no worker runs: start one with `drover worker`' : 'no worker answers at the moment';
    return { progress: undefined, notes: [`${why}; the run goes on once one does`] };
  }
}
