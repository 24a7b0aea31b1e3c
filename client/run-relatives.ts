/** The rows around a run: who did what to it, the runs that are its steps, the run that tries it again. */
import { listRunActions } from '../activities/inventory/run-actions.js';
import { listRuns } from '../activities/inventory/runs.js';
import { runWorkflowId } from '../model/addresses.js';
import { waitsOf, type RunActionRecord, type RunRecord, type Wait } from '../model/run.js';
import type { TemporalConnection } from '../temporal/connect.js';
import type { Caller } from './caller.js';
import { progressOf } from './progress.js';
import { askProgress } from './run-progress.js';

export interface SubRun {
  id: string;
  runbook: string;
  /** The step of the parent. */
  step: string;
  state: RunRecord['state'];
  /** The step in which it is; null where nobody knows. */
  phase: string | null;
  startedAt: string;
  endedAt: string | null;
}

export interface Relatives {
  /** Who did what to it and to the runs that are its steps, oldest first. */
  actions: RunActionRecord[];
  subRuns: SubRun[];
  waits: Wait[];
  retriedBy: { id: string; state: RunRecord['state'] } | null;
}

/** Without Temporal it is not known what its sub-runs wait for. */
export async function relativesOf(
  caller: Caller,
  id: string,
  temporal: TemporalConnection | undefined,
): Promise<Relatives> {
  const { inventory } = caller;
  const [actions, children, retries] = await Promise.all([
    listRunActions(inventory, id),
    listRuns(inventory, { parent: id, limit: most }),
    listRuns(inventory, { retryOf: id, limit: 1 }),
  ]);
  const [retry] = retries;
  const subRuns = await Promise.all(children.toReversed().map((run) => subRunOf(caller, run, temporal)));
  const within = await Promise.all(children.map((run) => listRunActions(inventory, run.id)));
  const asked = within.flat().filter(({ action }) => action !== 'start');
  const open = subRuns.filter(({ state }) => state === 'running');
  const waits = temporal ? await Promise.all(open.map((run) => waitsIn(caller, run.id, temporal))) : [];
  return {
    actions: [...actions, ...asked].toSorted((one, other) => (one.at < other.at ? -1 : 1)),
    subRuns,
    waits: waits.flat(),
    retriedBy: retry ? { id: retry.id, state: retry.state } : null,
  };
}

/** A step with for-each may have thousands of sub-runs. */
const most = 100;

async function subRunOf(
  { cloud }: Caller,
  { id, runbook, parent, state, startedAt, endedAt }: RunRecord,
  temporal: TemporalConnection | undefined,
): Promise<SubRun> {
  const open = state === 'running' && temporal;
  const found = open
    ? await progressOf(temporal, runWorkflowId(cloud, id)).catch(() => undefined)
    : undefined;
  return { id, runbook, step: parent?.step ?? '', state, phase: found?.phase ?? null, startedAt, endedAt };
}

async function waitsIn(caller: Caller, id: string, temporal: TemporalConnection): Promise<Wait[]> {
  const { progress } = await askProgress(caller, temporal, id);
  const { waits } = await relativesOf(caller, id, temporal);
  return [...waitsOf(id, progress?.steps ?? []), ...waits];
}
