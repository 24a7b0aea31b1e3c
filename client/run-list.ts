import { listRuns } from '../activities/inventory/runs.js';
import type { RunRecord } from '../model/run.js';
import { runWorkflowId } from '../model/addresses.js';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { TemporalConnection } from '../temporal/connect.js';
import { urlOf, type Caller } from './caller.js';
import { progressOf } from './progress.js';
import type { RunState } from './run-view.js';

export interface ListedRun extends Pick<
  RunRecord,
  'id' | 'runbook' | 'startedAt' | 'endedAt' | 'by' | 'steps' | 'inputs' | 'parent' | 'retryOf'
> {
  state: RunState;
  phase: string | null;
  workflowUrl: string | null;
}

export interface RunFilter {
  runbook?: string | undefined;
  state?: RunRecord['state'] | undefined;
  /** Also runs that are a step of another. */
  parts?: boolean | undefined;
  limit?: number | undefined;
}

/** Newest first. What runs is looked up in Temporal; while that is away the records alone answer. */
export async function listRunViews(caller: Caller, by: RunFilter): Promise<ListedRun[]> {
  const { parts = false, ...filter } = by;
  const records = await listRuns(caller.inventory, { ...filter, ...(parts ? {} : { parent: null }) });
  const temporal = await caller.temporal().catch((error: unknown) => {
    const open = records.some((run) => run.state === 'running');
    if (open)
      caller.say(
        `${error instanceof Error ? error.message : String(error)}; this is what the inventory knows`,
      );
    return undefined;
  });
  const recorded = await Promise.all(records.map((record) => merged(caller, temporal, record)));
  const fresh = temporal ? await unrecorded(caller, temporal, by).catch(() => []) : [];
  const open = fresh.length > 0 ? await listRuns(caller.inventory, { state: 'running', limit: 10_000 }) : [];
  const known = new Set([...records, ...open].map((run) => run.id));
  return [...fresh.filter((run) => !known.has(run.id)), ...recorded].slice(0, by.limit ?? 100);
}

async function merged(
  caller: Caller,
  temporal: TemporalConnection | undefined,
  record: RunRecord,
): Promise<ListedRun> {
  const { id, runbook, startedAt, endedAt, by, steps, inputs, state, parent = null, retryOf = null } = record;
  const workflowId = runWorkflowId(caller.cloud, id);
  const workflowUrl = temporal ? urlOf(temporal, workflowId) : null;
  const same = { id, runbook, startedAt, endedAt, by, steps, inputs, parent, retryOf, workflowUrl };
  if (state !== 'running' || !temporal) return { ...same, state, phase: state };
  try {
    const { running, phase } = await progressOf(temporal, workflowId);
    return { ...same, state: running ? 'running' : 'terminated', phase: running ? phase : null };
  } catch (error) {
    return { ...same, state: error instanceof WorkflowNotFoundError ? 'terminated' : 'running', phase: null };
  }
}

/** Runs that wait for a worker: the inventory does not know them yet. */
async function unrecorded(caller: Caller, temporal: TemporalConnection, by: RunFilter): Promise<ListedRun[]> {
  if (by.state !== undefined && by.state !== 'running') return [];
  const prefix = runWorkflowId(caller.cloud, '');
  const { client } = temporal;
  const query = "WorkflowType = 'run-runbook' AND ExecutionStatus = 'Running'";
  const found: ListedRun[] = [];
  await client.withDeadline(Date.now() + listMs, async () => {
    for await (const { workflowId, startTime, memo = {} } of client.workflow.list({ query })) {
      const {
        label,
        by: who,
        inputs,
      } = memo as { label?: string; by?: string; inputs?: Record<string, unknown> };
      if (!workflowId.startsWith(prefix) || (by.runbook !== undefined && label !== by.runbook)) continue;
      found.push({
        id: workflowId.slice(prefix.length),
        runbook: label ?? '',
        by: who ?? '',
        inputs: inputs ?? {},
        startedAt: startTime.toISOString(),
        endedAt: null,
        steps: [],
        parent: null,
        retryOf: null,
        state: 'running',
        phase: 'waiting for a worker',
        workflowUrl: urlOf(temporal, workflowId),
      });
    }
  });
  return found;
}

const listMs = 5000;
