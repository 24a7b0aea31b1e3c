/** The stable JSON shapes of instances, hosts and runs. Keys are only ever added. */
import type { RunItemRow, RunRecord } from '../model/run.js';
import type { ListedRun } from './run-list.js';
import type { RunView } from './run-view.js';
import type { KeptDisk } from '../activities/types.js';
import type { Host } from '../model/host.js';
import { defaultMovePolicy, type Instance } from '../model/instance.js';
import type { MigrationRecord, OperationRecord } from '../model/operation.js';

/** These keys of it, in this order. */
const pick = <T extends object, K extends keyof T>(of: T, ...keys: K[]): Pick<T, K> =>
  Object.fromEntries(keys.map((key) => [key, of[key]])) as Pick<T, K>;

export type InstanceView = ReturnType<typeof instanceView>;

export const instanceView = (of: Instance) => ({
  ...pick(of, 'id', 'name', 'state', 'powerState', 'task', 'host', 'flavor', 'image', 'locked', 'lockReason'),
  ...pick(of, 'createdAt', 'updatedAt', 'serverGroup', 'metadata'),
});

/** Of one instance: also its size, what is wrong with it, and what was done to it last. */
export const instanceDetails = (
  of: Instance,
  operations: OperationRecord[],
  migrations: MigrationRecord[],
  kept: KeptDisk[],
) => ({
  ...instanceView(of),
  ...pick(of, 'vcpus', 'memoryMiB', 'disks', 'lockedBy', 'fault', 'needsRepair'),
  ...pick(of, 'cause', 'restartPolicy', 'haPolicy', 'saved', 'resized'),
  movePolicy: of.movePolicy ?? defaultMovePolicy,
  operations: operations.map(operationView),
  migrations,
  keptDisks: kept.map(({ path, host }) => ({ path, host })),
});

export const operationView = ({ kind, ...of }: OperationRecord) => ({
  id: of.id,
  operation: kind,
  ...pick(of, 'state', 'host', 'by', 'startedAt', 'endedAt', 'result', 'error', 'left', 'run', 'workflowId'),
});

export const hostView = (of: Host) =>
  pick(
    of,
    ...(['name', 'state', 'enabled', 'disabledReason', 'maintenance', 'vcpus', 'vcpusUsed'] as const),
    ...(['memoryMiB', 'memoryMiBUsed', 'slots', 'slotsUsed', 'instances'] as const),
    ...(['zone', 'reserved', 'controlPlane', 'fence'] as const),
  );

/** Of one host: how it is reached and limited, and what is on it now. */
export const hostDetails = (
  of: Host,
  instances: Instance[],
  migrations: MigrationRecord[],
  kept: KeptDisk[] = [],
) => ({
  ...hostView(of),
  ...pick(of, 'uri', 'stateReason', 'cpuOvercommit', 'memoryMiBReserved'),
  ...pick(of, 'labels', 'storage', 'networks', 'cpu', 'systemUuid', 'lastSeenAt', 'createdAt'),
  instanceList: instances.map(instanceView),
  runningMigrations: migrations,
  keptDisks: kept.map(({ instance, name, path }) => ({ instance, name, path })),
});

const runKeys = ['id', 'runbook', 'state', 'phase', 'startedAt', 'endedAt'] as const;

/** A run in a list: its steps with counts only. */
export const runSummary = (of: ListedRun) => ({
  ...pick(of, ...runKeys),
  steps: of.steps.map(stepSummary),
  ...pick(of, 'workflowUrl', 'by', 'parent', 'retryOf'),
});

/** `approval`: what it waits for now, the first of several; null when it waits for nobody. */
export const runDetails = (of: RunView) => ({
  ...pick(of, ...runKeys),
  steps: of.steps.map((step) => ({
    ...stepSummary(step),
    items: step.items,
    attempt: step.attempt ?? 1,
    approval: step.approval ?? null,
    outputs: step.outputs ?? {},
  })),
  ...pick(of, 'workflowUrl', 'by', 'inputs', 'outputs', 'undone', 'digest', 'error', 'running', 'notes'),
  ...pick(of, 'parent', 'retryOf', 'retriedBy', 'subRuns', 'actions', 'paused'),
  approval: approvals(of)[0] ?? null,
  approvals: approvals(of),
});

const approvals = ({ waits }: RunView) => waits.map(({ approval, ...where }) => ({ ...where, ...approval }));

export const runItem = ({ step, key, label, state, ...of }: RunItemRow) => ({
  step,
  key,
  label,
  state,
  ...pick(of, 'attempt', 'endedAt', 'error', 'result'),
});

const stepSummary = (step: RunRecord['steps'][number]) =>
  pick(step, 'id', 'state', 'done', 'failed', 'total', 'error', 'refused', 'name');
