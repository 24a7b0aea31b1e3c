/** Rows into the words of the model and back: the one place that knows how JSON and booleans are stored. */
import type { ErrorRecord } from '../../model/errors.js';
import type { Host, HostCpu, HostRef, Maintenance } from '../../model/host.js';
import type { Fence } from '../../model/incident.js';
import type { Disk, Flavor, Instance, MovePolicy, Resized, Saved } from '../../model/instance.js';
import type { Intent, LadderStep, MigrationRecord, OperationRecord } from '../../model/operation.js';
import type {
  FlavorsTable,
  HostRow,
  InstanceRow,
  IntentRow,
  MigrationRow,
  OperationRow,
  RunActionsRow,
  RunItemsRow,
  RunRow,
} from './schema.js';
import type { FrozenRunbook } from '../../model/runbook.js';
import type { RunActionRecord, RunItemRow, RunRecord } from '../../model/run.js';

/** What we wrote ourselves is read back as what it was: no parsing of rows. */
export const toJson = (value: unknown): string => JSON.stringify(value);
export const jsonOrNull = (value: unknown): string | null => (value === null ? null : toJson(value));
export const fromJson = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
export const flag = (value: boolean): number => (value ? 1 : 0);

/** What is in use on a host: the sums of its allocations, claims included. */
export interface Usage {
  vcpus: number;
  memoryMiB: number;
  slots: number;
  instances: number;
}

export const hostRefOf = (row: Pick<HostRow, 'name' | 'uri'>): HostRef => ({ name: row.name, uri: row.uri });

/** The maintenance that goes on now; null when there is none, or it is over. */
export function maintenanceOf(
  row: Pick<HostRow, 'maintenance_until' | 'maintenance_by' | 'maintenance_reason' | 'maintenance_run'>,
  clock: { now(): string },
): Maintenance | null {
  const {
    maintenance_until: until,
    maintenance_by: by,
    maintenance_reason: reason,
    maintenance_run: run,
  } = row;
  if (until === null || until <= clock.now()) return null;
  return { until, by: by ?? '', reason: reason ?? '', run };
}

export const hostOf = (
  row: Omit<HostRow, 'armed' | 'fence_devices'>,
  used: Usage,
  clock: { now(): string },
): Host => ({
  name: row.name,
  uri: row.uri,
  state: row.state,
  stateReason: row.state_reason,
  enabled: row.enabled === 1,
  disabledReason: row.disabled_reason,
  maintenance: maintenanceOf(row, clock),
  systemUuid: row.system_uuid,
  vcpus: row.vcpus,
  vcpusUsed: used.vcpus,
  cpuOvercommit: row.cpu_overcommit,
  memoryMiB: row.memory_mib,
  memoryMiBUsed: used.memoryMiB,
  memoryMiBReserved: row.memory_mib_reserved,
  slots: row.slots,
  slotsUsed: used.slots,
  instances: used.instances,
  labels: JSON.parse(row.labels) as Record<string, string>,
  zone: row.zone,
  cpu: fromJson(row.cpu) as HostCpu | null,
  networks: fromJson(row.networks) as string[] | null,
  storage: (fromJson(row.storage) ?? {}) as Record<string, string>,
  reserved: row.reserved === 1,
  controlPlane: row.control_plane === 1,
  fence: fromJson(row.fence) as Fence | null,
  lastSeenAt: row.last_seen_at,
  createdAt: row.created_at,
});

export const instanceOf = (row: InstanceRow): Instance => ({
  id: row.id,
  name: row.name,
  state: row.state,
  powerState: row.power_state,
  host: row.host,
  flavor: row.flavor,
  vcpus: row.vcpus,
  memoryMiB: row.memory_mib,
  disks: JSON.parse(row.disks) as Disk[],
  image: row.image,
  locked: row.locked === 1,
  lockReason: row.lock_reason,
  lockedBy: row.locked_by,
  needsRepair: row.needs_repair,
  fault: row.fault,
  serverGroup: row.server_group,
  movePolicy: fromJson(row.move_policy) as MovePolicy | null,
  restartPolicy: row.restart_policy,
  haPolicy: row.ha_policy,
  resized: fromJson(row.resized) as Resized | null,
  saved: fromJson(row.saved) as Saved | null,
  cause: row.cause,
  cpuMode: row.cpu_mode,
  networks: fromJson(row.networks) as string[] | null,
  metadata: JSON.parse(row.metadata) as Record<string, string>,
  operation: row.op_id,
  task: row.op_kind,
  epoch: row.epoch,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export const flavorOf = (row: FlavorsTable): Flavor => ({
  id: row.id,
  name: row.name,
  vcpus: row.vcpus,
  memoryMiB: row.memory_mib,
  diskGiB: row.disk_gib,
});

export const intentOf = (row: IntentRow): Intent => ({
  operation: row.operation,
  seq: row.seq,
  activity: row.activity,
  input: JSON.parse(row.input) as Record<string, unknown>,
  onHost: row.on_host,
  says: row.says,
});

export const operationOf = (row: OperationRow): OperationRecord => ({
  id: row.id,
  kind: row.kind,
  instance: row.instance,
  host: row.host,
  state: row.state,
  input: JSON.parse(row.input) as Record<string, unknown>,
  result: row.result === null ? null : (JSON.parse(row.result) as Record<string, unknown>),
  error: row.error === null ? null : (JSON.parse(row.error) as ErrorRecord),
  left: JSON.parse(row.left_over) as string[],
  by: row.requested_by,
  workflowId: row.workflow_id,
  runId: row.run_id,
  run: row.run,
  step: row.step,
  item: row.item,
  startedAt: row.started_at,
  endedAt: row.ended_at,
});

export const migrationOf = (row: MigrationRow): MigrationRecord => ({
  id: row.id,
  operation: row.operation,
  instance: row.instance,
  source: row.source,
  target: row.target,
  storage: row.storage,
  state: row.state,
  downtimeMs: row.downtime_ms,
  totalMs: row.total_ms,
  transferredBytes: row.transferred_bytes,
  kind: row.kind,
  ladder: JSON.parse(row.ladder) as LadderStep[],
  copied: JSON.parse(row.copied) as string[],
  reason: row.reason,
  startedAt: row.started_at,
  endedAt: row.ended_at,
});

export const runOf = (row: RunRow): RunRecord => ({
  id: row.id,
  runbook: row.runbook,
  digest: row.digest,
  source: row.source,
  inputs: JSON.parse(row.inputs) as Record<string, unknown>,
  by: row.requested_by,
  state: row.state,
  steps: JSON.parse(row.steps) as RunRecord['steps'],
  undone: JSON.parse(row.undone) as string[],
  outputs: JSON.parse(row.outputs) as Record<string, unknown>,
  error: row.error === null ? null : (JSON.parse(row.error) as ErrorRecord),
  parent: row.parent_run === null ? null : { run: row.parent_run, step: row.parent_step ?? '' },
  retryOf: row.retry_of,
  plan: row.plan === null ? null : (JSON.parse(row.plan) as FrozenRunbook),
  startedAt: row.started_at,
  endedAt: row.ended_at,
});

export const runItemOf = (row: RunItemsRow): RunItemRow => ({
  run: row.run,
  step: row.step,
  key: row.item,
  label: row.label,
  state: row.state,
  error: row.error === null ? null : (JSON.parse(row.error) as ErrorRecord),
  result: row.result === null ? null : (JSON.parse(row.result) as Record<string, unknown>),
  attempt: row.attempt,
  endedAt: row.ended_at,
});

export const runActionOf = (row: RunActionsRow): RunActionRecord => ({
  run: row.run,
  at: row.at,
  by: row.by,
  action: row.action,
  step: row.step,
  comment: row.comment,
  details: JSON.parse(row.details) as Record<string, unknown>,
});
