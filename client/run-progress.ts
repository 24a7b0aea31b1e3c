/** What a run that runs says of itself; it takes a worker to answer. */
import { runWorkflowId } from '../model/addresses.js';
import type { ApprovalRecord, RunProgress, RunStepRecord } from '../model/run.js';
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
      handle.query<RunProgress | RunStepRecord[]>('progress'),
    );
    // Runs of the first language answer their steps alone.
    return { progress: Array.isArray(answer) ? { steps: answer, paused: null } : answer, notes: [] };
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

/** A step that waits for people. */
export interface Wait {
  run: string;
  step: string;
  name: string;
  approval: ApprovalRecord;
}

export const waitsOf = (run: string, steps: readonly RunStepRecord[]): Wait[] =>
  steps.flatMap(({ id, name, state, approval }) =>
    state === 'waiting' && approval ? [{ run, step: id, name, approval }] : [],
  );
