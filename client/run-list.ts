import { listRuns, type RunRecord } from '../activities/inventory/runs.js';
import { runWorkflowId } from '../model/addresses.js';
import { WorkflowNotFoundError } from '@temporalio/common';
import { urlOf, type Caller } from './caller.js';
import { progressOf } from './progress.js';
import type { RunState } from './run-view.js';

export interface ListedRun extends Pick<
  RunRecord,
  'id' | 'runbook' | 'startedAt' | 'endedAt' | 'by' | 'steps' | 'inputs'
> {
  state: RunState;
  phase: string | null;
  workflowUrl: string | null;
}

/** Newest first. What runs is looked up in Temporal; while that is away the records alone answer. */
export async function listRunViews(
  caller: Caller,
  by: { runbook?: string | undefined; state?: RunRecord['state'] | undefined; limit?: number | undefined },
): Promise<ListedRun[]> {
  const records = await listRuns(caller.inventory, by);
  const temporal = await caller.temporal().catch((error: unknown) => {
    if (records.some((run) => run.state === 'running')) {
      caller.say(
        `${error instanceof Error ? error.message : String(error)}; this is what the inventory knows`,
      );
    }
    return undefined;
  });
  return Promise.all(
    records.map(async (record): Promise<ListedRun> => {
      const { id, runbook, startedAt, endedAt, by: who, steps, inputs } = record;
      const workflowId = runWorkflowId(caller.cloud, id);
      const workflowUrl = temporal ? urlOf(temporal, workflowId) : null;
      const same = { id, runbook, startedAt, endedAt, by: who, steps, inputs, workflowUrl };
      if (record.state !== 'running' || !temporal)
        return { ...same, state: record.state, phase: record.state };
      try {
        const { running, phase } = await progressOf(temporal, workflowId);
        return { ...same, state: running ? 'running' : 'terminated', phase: running ? phase : null };
      } catch (error) {
        return {
          ...same,
          state: error instanceof WorkflowNotFoundError ? 'terminated' : 'running',
          phase: null,
        };
      }
    }),
  );
}
