/**
 * The names and shapes of all activities. Workflows import these types and `table.ts`, never the code.
 * Inputs and answers are JSON objects; errors are those of the error table.
 */
import type { Host, HostRef, Maintenance, Rejection } from '../model/host.js';
import type { Disk, Instance, PowerState } from '../model/instance.js';
import type { Intent, IntentCall, InstancePatch, Owner, Request } from '../model/operation.js';
import type { ErrorRecord } from '../model/errors.js';
import type { RunActionRecord, RunFinish, RunItemRecord, RunStart } from '../model/run.js';
import type { GuestSpec, JobView } from './hypervisor/port.js';

/** One host's view of one guest; `power` is `unknown` with the error when the host did not answer. */
export interface Sighting {
  host: string;
  power: PowerState;
  persistent: boolean;
  disks: Disk[];
  job: JobView | null;
  error: string | null;
}

export interface BeginInput {
  kind: string;
  request: Request;
  instance: string;
  input: Record<string, unknown>;
  /** States that allow the operation; null for any. */
  allowedStates: string[] | null;
  /** Word for the task while it runs, for the state sentence: 'migrating'. */
  doing: string;
  /** False for operations that do not change the instance or may run on a locked or broken one. */
  respectsLock: boolean;
  respectsNeedsRepair: boolean;
  needs: string | null;
  /** For launch: the row to create when there is none. */
  create: NewInstance | null;
}

export interface NewInstance {
  name: string;
  flavor: string | null;
  vcpus: number;
  memoryMiB: number;
  image: string | null;
  metadata: Record<string, string>;
}

export type BeginAnswer =
  /**
   * `committed`: a run of this very operation, which was reset, had passed the point of no return. The work is
   * done and must not be done again; these are the clean-ups that are left.
   */
  | { outcome: 'began'; owner: Owner; instance: Instance; committed?: Intent[] }
  /** The operation id is closed already (a repeated request, or a reset run): its record, nothing to do. */
  | { outcome: 'closed'; state: string; result: Record<string, unknown> | null; error: ErrorRecord | null }
  /**
   * An earlier operation did not close, or left something. The caller owns the instance now and must reconcile,
   * then begin again. `predecessor` is that operation, or of several the newest.
   */
  | {
      outcome: 'reconcile';
      owner: Owner;
      instance: Instance;
      predecessor: { id: string; kind: string; committed: boolean } | null;
      intents: Intent[];
    };

/** What the caller of a begin that answered `reconcile` found and did; then it begins again. */
export interface ReconciledInput {
  owner: Owner;
  /** The operation that did not close; null when only intents of closed operations were left. */
  predecessor: string | null;
  /** What was observed: `host` and `state` make the allocations true again. */
  patch: InstancePatch;
  settled: { operation: string; seq: number }[];
  left: string[];
  /** A sentence for the predecessor's record: what was found, what was done. */
  note: string;
}

export interface FinishInput {
  owner: Owner;
  state: 'succeeded' | 'failed' | 'cancelled';
  patch: InstancePatch;
  result: Record<string, unknown> | null;
  error: ErrorRecord | null;
  /** Intents that were carried out, by operation and seq; all others that are open stay open. */
  settled: { operation: string; seq: number }[];
  /** Sentences of what is left; not empty sets needsRepair. */
  left: string[];
}

/** The claim belongs to the operation that makes the call (`Call.owner`). */
export interface ClaimInput {
  /** Chosen by the caller; a repeated claim with the same id answers the same. */
  claim: string;
  vcpus: number;
  memoryMiB: number;
  /** The only host to consider, or null for any. */
  host: string | null;
  exclude: string[];
  /** For a move: the source, which gives one migration slot as well. */
  from: string | null;
  /** Seconds to wait while every rejection is temporary; 0 refuses at once. */
  waitSeconds: number;
}
export interface ClaimAnswer {
  host: HostRef;
  rejected: Rejection[];
}

export interface MigrateInput {
  migration: string;
  instance: string;
  name: string;
  source: HostRef;
  target: HostRef;
  copy: string[];
  disks: Disk[];
  bandwidthMiBs: number | null;
  /** Whole limit of the migration in seconds; then it is aborted (TimedOut). */
  timeoutSeconds: number;
  /** Registered when the guest is found on the target, however that came to be. */
  cleanup: IntentCall[];
  /** When it is undone: seconds to let a running job end by itself before it is aborted; the janitor's. */
  patienceSeconds?: number;
}
export interface MigrateAnswer {
  downtimeMs: number | null;
  totalMs: number | null;
  transferredBytes: number | null;
}

/** What undoing a step answers: it is undone, or it turned out that the step had passed its point of no return. */
export type UndoAnswer = { undone: true } | { undone: false; patch: InstancePatch; cleanup: IntentCall[] };

export interface Guest {
  instance: string;
  name: string;
  host: HostRef;
}

/** An operation on a host that takes its time; those that are one change of the inventory write their record with it. */
export interface BeginHostInput {
  kind: string;
  request: Request;
  host: string;
  input: Record<string, unknown>;
}
export type BeginHostAnswer =
  | { outcome: 'began' }
  /** Repeated: it has ended already. */
  | { outcome: 'closed'; result: Record<string, unknown> | null; error: ErrorRecord | null };
export interface FinishHostInput {
  id: string;
  state: 'succeeded' | 'failed' | 'cancelled';
  result: Record<string, unknown> | null;
  error: ErrorRecord | null;
}

export interface InventoryActivities {
  beginOperation(input: BeginInput): Promise<BeginAnswer>;
  /** Closes the predecessor in the records; the caller goes on to own the instance and calls beginOperation again. */
  reconciled(input: ReconciledInput): Promise<{ instance: Instance }>;
  /** Raises the epoch, so that late steps of this operation fail, and hands over the open intents, newest first. */
  startUnwind(input: { owner: Owner }): Promise<{ owner: Owner; intents: Intent[] }>;
  /** The point of no return: writes the patch, makes claims on the new host permanent, closes undo intents, adds clean-ups. */
  commit(input: {
    owner: Owner;
    patch: InstancePatch;
    cleanup: IntentCall[];
  }): Promise<{ intents: Intent[] }>;
  /** Registers an intent for a step that another machine carries out. */
  admit(input: { owner: Owner; seq: number; undo: IntentCall | null }): Promise<void>;
  finishOperation(input: FinishInput): Promise<{ sentence: string }>;
  refuseOperation(input: {
    kind: string;
    request: Request;
    instance: string | null;
    input: Record<string, unknown>;
    error: ErrorRecord;
  }): Promise<void>;
  claimHost(input: ClaimInput): Promise<ClaimAnswer>;
  releaseClaim(input: { claim: string }): Promise<UndoAnswer>;
  getHost(input: { host: string }): Promise<HostRef>;
  /** By name or id; NotFound, Ambiguous. */
  getInstance(input: { instance: string }): Promise<Instance>;
  /** By name; with `limit` the first so many in the order of ids; with `ids` exactly those, deleted ones too. */
  listInstances(input: {
    host?: string | undefined;
    state?: string | undefined;
    moved_from?: string | undefined;
    limit?: number | undefined;
    ids?: string[] | undefined;
  }): Promise<Instance[]>;
  /** Only who they are, in the order of ids, those after `after`: long lists are taken page by page. */
  listInstanceNames(input: {
    host?: string | undefined;
    state?: string | undefined;
    moved_from?: string | undefined;
    after?: string | undefined;
    limit: number;
  }): Promise<{ id: string; name: string }[]>;
  listHosts(input: {
    name?: string | undefined;
    enabled?: boolean | undefined;
    state?: string | undefined;
  }): Promise<Host[]>;
  setHostEnabled(input: {
    host: string;
    enabled: boolean;
    reason: string | null;
    by: string;
    request?: Request;
  }): Promise<{ was: { enabled: boolean; reason: string | null } }>;
  startMaintenance(input: {
    host: string;
    seconds: number;
    reason: string;
    request: Request;
  }): Promise<{ until: string; was: Maintenance | null; note: string }>;
  endMaintenance(input: {
    host: string;
    request: Request;
  }): Promise<{ was: Maintenance | null; note: string }>;
  beginHostOperation(input: BeginHostInput): Promise<BeginHostAnswer>;
  /** Keeps the boot that a host ran before its reboot; repeated, it answers the one that was kept first. */
  keepBoot(input: { id: string; boot: string }): Promise<{ boot: string }>;
  finishHostOperation(input: FinishHostInput): Promise<void>;
  startRun(input: RunStart): Promise<void>;
  finishRun(input: RunFinish): Promise<void>;
  /** Items as they ended; a row that is there already is replaced by a later attempt. */
  recordItems(input: { run: string; step: string; attempt: number; items: RunItemRecord[] }): Promise<void>;
  /** `id`: recorded a second time, it changes nothing. */
  recordRunAction(input: Omit<RunActionRecord, 'at'> & { id: string }): Promise<void>;
  /** One run at a time has a key. Waits, heartbeating; takes over from a run whose workflow is closed. */
  takeConcurrency(input: {
    key: string;
    run: string;
    seconds: number;
  }): Promise<{ taken: boolean; holder: string | null }>;
  /** Gives back every key that the run has. */
  releaseConcurrency(input: { run: string }): Promise<void>;
  /** Instances whose operation is open in the inventory although its workflow is not, or that need repair. */
  findOrphans(input: Record<string, never>): Promise<{ instance: string; name: string; why: string }[]>;
}

export interface HypervisorActivities {
  /** Looks for the guest on each host, all at a time; never throws for a host that does not answer. */
  look(input: { instance: string; hosts: HostRef[] }): Promise<{ sightings: Sighting[] }>;
  defineGuest(input: { host: HostRef; spec: GuestSpec }): Promise<void>;
  startGuest(input: Guest): Promise<{ power: PowerState }>;
  /** ACPI shutdown, then forced after `graceSeconds`; answers whether force was needed. */
  stopGuest(input: Guest & { graceSeconds: number }): Promise<{ forced: boolean }>;
  /** `soft` asks the guest and falls back to hard after `graceSeconds`. */
  rebootGuest(input: Guest & { soft: boolean; graceSeconds: number }): Promise<{ forced: boolean }>;
  /** `undo`: a guest that is off or gone has nothing to take back. */
  pauseGuest(input: Guest & { undo?: boolean }): Promise<void>;
  unpauseGuest(input: Guest & { undo?: boolean }): Promise<void>;
  /** Ends the process and removes the definition. */
  removeGuest(input: Guest): Promise<UndoAnswer>;
  migrateGuest(input: MigrateInput): Promise<MigrateAnswer>;
  undoMigrate(input: MigrateInput): Promise<UndoAnswer>;
  /** Asks every host of the inventory how it is and records the answer. */
  probeHosts(
    input: Record<string, never>,
  ): Promise<{ up: string[]; unknown: { host: string; reason: string }[] }>;
}

/** Done by `drover worker --host NAME`, where the disk is. No inventory there: the host keeps its own fence. */
export interface DiskActivities {
  /** A new disk from an image on the same host; format inspected, never trusted; refuses a backing or data file. */
  createDisk(input: { instance: string; image: string; path: string; diskGiB: number }): Promise<{
    disk: Disk;
    bytes: number;
  }>;
  /** An empty disk of exactly `bytes` virtual size for a block migration to fill. */
  prepareDisk(input: {
    instance: string;
    path: string;
    format: 'qcow2' | 'raw';
    bytes: number;
  }): Promise<void>;
  /** Removes a disk; DiskError while a process has it open. `onlyIfMade`, for an undo: what was there before stays. */
  removeDisk(input: { instance: string; path: string; onlyIfMade?: boolean }): Promise<UndoAnswer>;
  /** `format` as the definition has it: without it the file's own header is believed, which a guest can write. */
  diskFacts(input: { path: string; format?: 'qcow2' | 'raw' }): Promise<{
    path: string;
    format: 'qcow2' | 'raw';
    bytes: number;
    allocatedBytes: number;
    backing: string | null;
  }>;
  /** Sharing is proven, not believed: one host writes a nonce beside the disk, the other reads it. */
  writeProbe(input: { directory: string; nonce: string }): Promise<void>;
  readProbe(input: { directory: string; nonce: string }): Promise<{ shared: boolean }>;
  removeProbe(input: { directory: string; nonce: string }): Promise<void>;
  readSerialLog(input: { path: string; tailBytes: number }): Promise<{ text: string; bytes: number }>;
}

/** Work on a host itself, done by its own worker. */
export interface HostActivities {
  /** Another one after each boot. */
  bootId(input: Record<string, never>): Promise<{ boot: string }>;
  /**
   * Reboots the host, unless it runs another boot than `boot` by now; answers the boot that it runs then. The attempt
   * that asks for it ends with the machine: the answer is that of the next one, after the boot. So it is never done twice.
   */
  rebootHost(input: { boot: string }): Promise<{ boot: string }>;
}

/** Waits, heartbeating, until the hypervisor of a host answers, and records that it is up. TimedOut otherwise. */
export interface HostWaitActivities {
  waitForHost(input: { host: HostRef; seconds: number }): Promise<void>;
}

/** Waits, heartbeating, until no workflow with this id is open; answers who held it if the deadline came first. */
export interface WaitActivities {
  waitForWorkflow(input: {
    workflowId: string;
    seconds: number;
  }): Promise<{ free: boolean; holder: string | null }>;
}

export type Activities = InventoryActivities &
  HypervisorActivities &
  DiskActivities &
  HostActivities &
  HostWaitActivities &
  WaitActivities;
export type ActivityName = keyof Activities;
export type Answer<K extends ActivityName> = Awaited<ReturnType<Activities[K]>>;

/** What an activity's code gets beside its input. */
export interface Call {
  /** The operation that makes the call, with its epoch; null for calls that belong to none. */
  owner: Owner | null;
  /** The host whose disks it works on; null on a control worker. */
  host: string | null;
  /** Aborted when the activity should stop, for whatever reason. */
  signal: AbortSignal;
  /** True only when somebody asked to cancel: the one reason that may abort a hypervisor's job. */
  cancelRequested(): boolean;
  heartbeat(details: Record<string, unknown>): void;
}

/** How a part of the activities is implemented: the same names, with the call as second parameter. */
export type Implement<A> = {
  [K in keyof A]: A[K] extends (input: infer I) => infer O ? (input: I, call: Call) => O : never;
};

/** What every activity is given over the wire. `undo` is registered before the step begins. */
export interface Envelope {
  /** The host whose disks the step works on: one worker may serve several. */
  host: string | null;
  input: Record<string, unknown>;
  owner: Owner | null;
  seq: number;
  undo: IntentCall | null;
}
