/** A run as people and scripts see it, put together from the inventory, Temporal and the run's own answer. */
import type { RunRecord, RunStepRecord } from '../model/run.js';
import { listInstances } from '../activities/inventory/instances.js';
import { getRun, operationsOfRun } from '../activities/inventory/runs.js';
import { DroverError, type ErrorRecord } from '../model/errors.js';
import type { OperationRecord } from '../model/operation.js';
import { runWorkflowId } from '../model/addresses.js';
import type { TemporalConnection } from '../temporal/connect.js';
import { urlOf, type Caller } from './caller.js';
import { isAway } from './failures.js';
import { hasWorker, progressOf, type Progress } from './progress.js';
import { noRun } from './runs.js';
import { stepsFromOperations } from './run-steps.js';

/** `terminated`: its workflow was ended from outside, so the record never got its end. */
export type RunState = RunRecord['state'] | 'terminated';

export interface RunView {
  id: string;
  runbook: string;
  state: RunState;
  /** The step in which it is, or how it ended. */
  phase: string | null;
  startedAt: string;
  endedAt: string | null;
  steps: RunStepRecord[];
  workflowUrl: string | null;
  by: string;
  inputs: Record<string, unknown>;
  outputs: Record<string, unknown>;
  undone: string[];
  digest: string;
  error: ErrorRecord | null;
  /** Operations under way. */
  running: RunningItem[];
  /** What keeps this view from being complete, or the run from going on. */
  notes: string[];
}

export interface RunningItem {
  operation: string;
  kind: string;
  label: string;
  host: string | null;
  phase: string | null;
  percent: number | null;
  trouble: string | null;
}

const queryMs = 3000;
/** More children than this are not asked one by one at every look. */
const asked = 40;

/** Throws NotFound. Without Temporal the inventory alone answers, and `notes` says so. */
export async function viewRun(caller: Caller, id: string): Promise<RunView> {
  const record = await recordOf(caller, id);
  if (record && record.state !== 'running') return closedView(caller, record);
  let temporal: TemporalConnection;
  let found: Progress | undefined;
  try {
    temporal = await caller.temporal();
    found = await progressOf(temporal, runWorkflowId(caller.cloud, id));
  } catch (error) {
    if (record === undefined && !isOut(error)) throw noRun(id);
    if (record === undefined) throw error;
    const note = isOut(error)
      ? 'Temporal does not answer: this is what the inventory knows'
      : 'Temporal knows nothing of this run';
    return openView(caller, record, undefined, { steps: undefined, notes: [note] });
  }
  const live = found.running ? await ask(caller, temporal, id) : { steps: undefined, notes: [] };
  const view = await openView(caller, record ?? emptyRecord(id, found), temporal, live);
  if (found.running) return { ...view, phase: found.phase };
  // It may have closed between the two looks.
  const closed = await recordOf(caller, id);
  if (closed && closed.state !== 'running') return closedView(caller, closed);
  const said = `its workflow ended as ${found.status} without a record; operations that it started go on by themselves`;
  return { ...view, state: 'terminated', phase: null, notes: [...view.notes, said] };
}

const isOut = (error: unknown): boolean =>
  isAway(error) || (error instanceof DroverError && error.code === 'TemporalUnreachable');

async function recordOf(caller: Caller, id: string): Promise<RunRecord | undefined> {
  try {
    return await getRun(caller.inventory, id);
  } catch (error) {
    if (error instanceof DroverError && error.code === 'NotFound') return undefined;
    throw error;
  }
}

/** The run's own answer, step by step; it needs a worker. */
async function ask(
  caller: Caller,
  temporal: TemporalConnection,
  id: string,
): Promise<{ steps: RunStepRecord[] | undefined; notes: string[] }> {
  const { client } = temporal;
  try {
    const handle = client.workflow.getHandle(runWorkflowId(caller.cloud, id));
    const steps = await client.withDeadline(Date.now() + queryMs, () =>
      handle.query<RunStepRecord[]>('progress'),
    );
    return { steps, notes: [] };
  } catch {
    const alive = await hasWorker(temporal, caller.cloud);
    const why =
      alive === false ? 'no worker runs: start one with `drover worker`' : 'no worker answers at the moment';
    return { steps: undefined, notes: [`${why}; the run goes on once one does`] };
  }
}

async function openView(
  caller: Caller,
  record: RunRecord,
  temporal: TemporalConnection | undefined,
  live: { steps: RunStepRecord[] | undefined; notes: string[] },
): Promise<RunView> {
  const operations = await operationsOfRun(caller.inventory, record.id);
  const names = new Map((await listInstances(caller.inventory)).map(({ id, name }) => [id, name]));
  const label = (of: OperationRecord) => names.get(of.instance ?? '') ?? of.instance ?? of.host ?? of.id;
  const open = operations.filter((one) => one.endedAt === null).slice(0, asked);
  const running = await Promise.all(
    open.map(async (one): Promise<RunningItem> => {
      const progress = temporal && (await progressOf(temporal, one.workflowId).catch(() => undefined));
      const { phase = null, percent = null, trouble = null } = progress ?? {};
      return {
        operation: one.id,
        kind: one.kind,
        label: label(one),
        host: one.host,
        phase,
        percent,
        trouble,
      };
    }),
  );
  return {
    ...shape(record),
    steps: live.steps ?? stepsFromOperations(operations, label),
    workflowUrl: temporal ? urlOf(temporal, runWorkflowId(caller.cloud, record.id)) : null,
    running,
    notes: live.notes,
  };
}

async function closedView(caller: Caller, record: RunRecord): Promise<RunView> {
  // Only for the link: a run that ended is shown without Temporal as well.
  const temporal = await caller.temporal().catch(() => undefined);
  const workflowUrl = temporal ? urlOf(temporal, runWorkflowId(caller.cloud, record.id)) : null;
  return { ...shape(record), phase: record.state, workflowUrl, running: [], notes: [] };
}

function shape(record: RunRecord): Omit<RunView, 'workflowUrl' | 'running' | 'notes'> {
  const { id, runbook, state, startedAt, endedAt, steps, by, inputs, outputs, undone, digest, error } =
    record;
  return {
    id,
    runbook,
    state,
    phase: null,
    startedAt,
    endedAt,
    steps,
    by,
    inputs,
    outputs,
    undone,
    digest,
    error,
  };
}

/** A run of which Temporal knows and the inventory doesn't yet: no worker has taken its first step. */
function emptyRecord(id: string, found: Progress): RunRecord {
  return {
    id,
    runbook: found.label ?? '',
    digest: '',
    source: '',
    inputs: found.inputs,
    by: found.by ?? '',
    state: 'running',
    steps: [],
    undone: [],
    outputs: {},
    error: null,
    startedAt: found.startedAt,
    endedAt: null,
  };
}
