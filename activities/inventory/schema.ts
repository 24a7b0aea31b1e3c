/**
 * The tables as kysely sees them. Portable between SQLite and PostgreSQL: JSON and times are text (times RFC 3339
 * in UTC), yes and no are 1 and 0; `rows.ts` is the one place that turns them into the words of the model.
 */
import type { Generated, Selectable } from 'kysely';
import type { InstanceState, PowerState, RestartPolicy } from '../../model/instance.js';
import type { GroupPolicy } from '../../model/host.js';
import type { HaPolicy } from '../../model/incident.js';
import type { MigrationRecord, OperationState } from '../../model/operation.js';
import type { AuditTrailTable, TokensTable } from './schema-access.js';
import type { IdempotencyKeysTable, NoticeReceiversTable, NoticesTable } from './schema-outside.js';
import type {
  DefinitionsTable,
  IncidentEventsTable,
  IncidentsTable,
  RecoverySwitchesTable,
} from './schema-recovery.js';
import type { RunActionsTable, RunConcurrencyTable, RunItemsTable, RunsTable } from './schema-runs.js';

export interface HostsTable {
  name: string;
  uri: string;
  state: 'up' | 'unknown';
  state_reason: string | null;
  enabled: number;
  disabled_reason: string | null;
  disabled_by: string | null;
  /** The last that was declared, over or not. */
  maintenance_until: string | null;
  maintenance_by: string | null;
  maintenance_reason: string | null;
  maintenance_run: string | null;
  zone: string | null;
  /** JSON of `HostCpu`, `string[]` and `Record<string, string>`; null where the host was never asked. */
  cpu: string | null;
  networks: string | null;
  storage: string | null;
  /** JSON of `Fence`, of what the platform had armed when it was seen last, and of the fence devices and their check. */
  fence: string | null;
  armed: string | null;
  fence_devices: string | null;
  /** 1: kept free for recoveries; 1: it runs Temporal, the inventory or drover itself, and is never fenced. */
  reserved: Generated<number>;
  control_plane: Generated<number>;
  system_uuid: string | null;
  hostname: string | null;
  hypervisor: string | null;
  vcpus: number;
  cpu_overcommit: number;
  memory_mib: number;
  memory_mib_reserved: number;
  slots: number;
  labels: string;
  last_seen_at: string | null;
  created_at: string;
}

export interface InstancesTable {
  id: string;
  name: string;
  state: InstanceState;
  power_state: PowerState;
  host: string | null;
  flavor: string | null;
  vcpus: number;
  memory_mib: number;
  disks: string;
  image: string | null;
  locked: number;
  lock_reason: string | null;
  locked_by: string | null;
  needs_repair: string | null;
  fault: string | null;
  server_group: string | null;
  /** JSON of `MovePolicy`, `Resized`, `Saved`; null where there is none. */
  move_policy: string | null;
  resized: string | null;
  saved: string | null;
  restart_policy: Generated<RestartPolicy>;
  ha_policy: Generated<HaPolicy>;
  cause: string | null;
  /** JSON of `TerminateDue`: asked for while its host was silent, to be done once that is fenced or back. */
  terminate_due: string | null;
  /** 1 while its restart policy is to bring it back. */
  restart_due: Generated<number>;
  cpu_mode: string | null;
  /** JSON of the networks and bridges that it is connected to; null where nobody looked. */
  networks: string | null;
  metadata: string;
  /** The operation that owns the row, with the Temporal workflow and run in which it was last seen. */
  op_id: string | null;
  op_kind: string | null;
  op_workflow_id: string | null;
  op_run_id: string | null;
  /** Only ever grows: whoever presents a smaller one is late. */
  epoch: number;
  created_at: string;
  updated_at: string;
}

export interface FlavorsTable {
  id: string;
  name: string;
  vcpus: number;
  memory_mib: number;
  disk_gib: number;
}

/** What an instance takes of a host. `operation` is null once it is permanent; until then it is that operation's claim. */
export interface AllocationsTable {
  id: string;
  instance: string;
  host: string;
  operation: string | null;
  vcpus: number;
  memory_mib: number;
  slots: number;
}

/** `reconciling`: cleans up after another; `reconciled`: that is done; `begun`: its own work may run. */
export type Phase = 'reconciling' | 'reconciled' | 'begun' | 'committed';

export interface OperationsTable {
  id: string;
  kind: string;
  doing: string;
  instance: string | null;
  host: string | null;
  state: OperationState;
  phase: Phase;
  /** The instance's epoch when this operation took it: orders the operations of an instance. */
  epoch: number;
  /** The operation whose row this one took over. */
  predecessor: string | null;
  input: string;
  result: string | null;
  error: string | null;
  left_over: string;
  sentence: string | null;
  requested_by: string;
  role: string;
  workflow_id: string;
  run_id: string;
  run: string | null;
  step: string | null;
  item: string | null;
  started_at: string;
  ended_at: string | null;
}

export interface IntentsTable {
  operation: string;
  seq: number;
  instance: string;
  activity: string;
  input: string;
  on_host: string | null;
  says: string;
  kind: 'undo' | 'cleanup';
  /** `kept`: for the readmission of its host, which was fenced. */
  state: 'open' | 'closed' | 'kept';
}

export interface MigrationsTable {
  id: string;
  operation: string;
  instance: string;
  source: string;
  target: string;
  storage: MigrationRecord['storage'];
  state: MigrationRecord['state'];
  downtime_ms: number | null;
  total_ms: number | null;
  transferred_bytes: number | null;
  kind: Generated<MigrationRecord['kind']>;
  /** JSON of the rungs that were taken, `LadderStep[]`. */
  ladder: Generated<string>;
  /** JSON of the paths of the disks that it copied, `string[]`. */
  copied: Generated<string>;
  reason: string | null;
  started_at: string;
  ended_at: string | null;
}

/** What is in use and free on each host: see `host-usage.ts`. */
export interface HostUsageTable {
  host: string;
  vcpus_used: number;
  memory_mib_used: number;
  slots_used: number;
  vcpus_free: number;
  memory_mib_free: number;
}

export interface ServerGroupsTable {
  name: string;
  policy: GroupPolicy;
  created_at: string;
}

/** What somebody asked of a running operation. */
export interface OperationActionsTable {
  id: string;
  operation: string;
  at: string;
  by: string;
  action: string;
  details: string;
}

/** What a hypervisor told of a guest by itself. */
export interface GuestEventsTable {
  id: string;
  at: string;
  host: string;
  instance: string;
  event: string;
  detail: string;
  cause: string | null;
  todo: string | null;
}

/** JSON of `AuditOptions`, `AuditScope`, `Finding[]`, `Repair[]` and what became of those. */
export interface AuditsTable {
  id: string;
  at: string;
  ended_at: string | null;
  by: string;
  options: string;
  scope: string;
  findings: string;
  repairs: string;
  repaired: string;
}

/** What one host showed, `SeenHost`; kept while its audit runs. */
export interface AuditHostsTable {
  audit: string;
  host: string;
  seen: string;
}

export interface Tables {
  definitions: DefinitionsTable;
  incidents: IncidentsTable;
  incident_events: IncidentEventsTable;
  recovery_switches: RecoverySwitchesTable;
  hosts: HostsTable;
  instances: InstancesTable;
  flavors: FlavorsTable;
  allocations: AllocationsTable;
  operations: OperationsTable;
  intents: IntentsTable;
  migrations: MigrationsTable;
  runs: RunsTable;
  run_items: RunItemsTable;
  run_actions: RunActionsTable;
  run_concurrency: RunConcurrencyTable;
  server_groups: ServerGroupsTable;
  host_usage: HostUsageTable;
  operation_actions: OperationActionsTable;
  guest_events: GuestEventsTable;
  audits: AuditsTable;
  audit_hosts: AuditHostsTable;
  tokens: TokensTable;
  audit_trail: AuditTrailTable;
  idempotency_keys: IdempotencyKeysTable;
  notices: NoticesTable;
  notice_receivers: NoticeReceiversTable;
}

export type HostRow = Selectable<HostsTable>;
export type InstanceRow = Selectable<InstancesTable>;
export type AllocationRow = Selectable<AllocationsTable>;
export type OperationRow = Selectable<OperationsTable>;
export type IntentRow = Selectable<IntentsTable>;
export type MigrationRow = Selectable<MigrationsTable>;
export type RunRow = Selectable<RunsTable>;
export type RunItemsRow = Selectable<RunItemsTable>;
export type RunActionsRow = Selectable<RunActionsTable>;
