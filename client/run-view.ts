/** A run as people and scripts see it, put together from the inventory, Temporal and the run's own answer. */
import { listInstances } from '../activities/inventory/instances.js';
import { getRun, operationsOfRun } from '../activities/inventory/runs.js';
import { runWorkflowId } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { OperationRecord } from '../model/operation.js';
import {
  waitsOf,
  type RunActionRecord,
  type RunProgress,
  type RunRecord,
  type RunStepRecord,
  type Wait,
} from '../model/run.js';
import type { TemporalConnection } from '../temporal/connect.js';
import { urlOf, type Caller } from './caller.js';
import { isAway } from './failures.js';
import { progressOf, type Progress } from './progress.js';
import { askProgress } from './run-progress.js';
import { relativesOf, type SubRun } from './run-relatives.js';
import { stepsFromRows } from './run-steps.js';
import { noRun } from './runs.js';

/** `terminated`: its workflow was ended from outside, so the record never got its end. */
export type RunState = RunRecord['state'] | 'terminated';

export interface RunView extends Omit<RunRecord, 'source' | 'plan' | 'state' | 'parent' | 'retryOf'> {
  state: RunState;
  /** The step in which it is, or how it ended. */
  phase: string | null;
  workflowUrl: string | null;
  parent: { run: string; step: string } | null;
  retryOf: string | null;
  /** The run that tries this one again. */
  retriedBy: { id: string; state: RunRecord['state'] } | null;
  /** Who did what to it and to the runs that are its steps, oldest first. */
  actions: RunActionRecord[];
  paused: RunProgress['paused'];
  /** What it waits for, also within the runs that are its steps. */
  waits: Wait[];
  subRuns: SubRun[];
  /** Operations under way. */
  running: RunningItem[];
  /** Whether `steps` is the run's own word; otherwise it is what the rows tell. */
  certain: boolean;
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
    return openView(caller, record, undefined, { progress: undefined, notes: [note] });
  }
  const live = found.running
    ? await askProgress(caller, temporal, id)
    : { progress: undefined, notes: [] as string[] };
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

async function openView(
  caller: Caller,
  record: RunRecord,
  temporal: TemporalConnection | undefined,
  live: { progress: RunProgress | undefined; notes: string[] },
): Promise<RunView> {
  const { id } = record;
  const open = await operationsOfRun(caller.inventory, id, { open: true, limit: asked });
  const label = await labels(caller, open);
  const running = await Promise.all(open.map((one) => runningItem(one, label(one), temporal)));
  const steps = live.progress?.steps ?? (await stepsOfRows(caller, record));
  const relatives = await relativesOf(caller, id, temporal);
  return {
    ...shape(record),
    ...relatives,
    steps,
    phase: null,
    workflowUrl: temporal ? urlOf(temporal, runWorkflowId(caller.cloud, id)) : null,
    paused: live.progress?.paused ?? null,
    waits: [...waitsOf(id, steps), ...relatives.waits],
    running,
    certain: live.progress !== undefined,
    notes: live.notes,
  };
}

async function stepsOfRows(caller: Caller, record: RunRecord): Promise<RunStepRecord[]> {
  const operations = await operationsOfRun(caller.inventory, record.id);
  return stepsFromRows(caller, record, operations, await labels(caller, operations));
}

async function labels(
  { inventory }: Caller,
  operations: readonly OperationRecord[],
): Promise<(of: OperationRecord) => string> {
  const ids = [...new Set(operations.flatMap(({ instance }) => instance ?? []))];
  const names = new Map((await listInstances(inventory, { ids })).map(({ id, name }) => [id, name]));
  return ({ id, instance, host }) => names.get(instance ?? '') ?? instance ?? host ?? id;
}

async function runningItem(
  { id, kind, host, workflowId }: OperationRecord,
  label: string,
  temporal: TemporalConnection | undefined,
): Promise<RunningItem> {
  const progress = temporal && (await progressOf(temporal, workflowId).catch(() => undefined));
  const { phase = null, percent = null, trouble = null } = progress ?? {};
  return { operation: id, kind, label, host, phase, percent, trouble };
}

async function closedView(caller: Caller, record: RunRecord): Promise<RunView> {
  // Only for the link: a run that ended is shown without Temporal as well.
  const temporal = await caller.temporal().catch(() => undefined);
  const workflowUrl = temporal ? urlOf(temporal, runWorkflowId(caller.cloud, record.id)) : null;
  const relatives = await relativesOf(caller, record.id, undefined);
  const ended = { phase: record.state, paused: null, running: [], certain: true, notes: [] };
  return { ...shape(record), ...relatives, ...ended, workflowUrl };
}

function shape(record: RunRecord) {
  const { id, runbook, state, startedAt, endedAt, steps, by, inputs, outputs, undone } = record;
  const { digest, error, parent = null, retryOf = null } = record;
  const what = { id, runbook, digest, inputs, by, parent, retryOf };
  return { ...what, state, startedAt, endedAt, steps, outputs, undone, error };
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
