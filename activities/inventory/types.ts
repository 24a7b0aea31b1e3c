/** The names and shapes of the inventory's activities. */
import type { Host, HostRef, Maintenance } from '../../model/host.js';
import type { Flavor, Instance } from '../../model/instance.js';
import type {
  InstancePatch,
  Intent,
  IntentCall,
  LadderStep,
  OperationAction,
  Owner,
  Request,
  Settled,
} from '../../model/operation.js';
import type { ErrorRecord } from '../../model/errors.js';
import type { PlacementRequest } from './placement/request.js';
import type { RunActionRecord, RunFinish, RunItemRecord, RunStart } from '../../model/run.js';

export type { PlacementRequest } from './placement/request.js';

/** What undoing a step answers: it is undone, or it turned out that the step had passed its point of no return. */
export type UndoAnswer = { undone: true } | { undone: false; patch: InstancePatch; cleanup: IntentCall[] };

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
  /** Neither the host nor what was left of the guest matters: it changes the record alone. */
  recordOnly?: boolean;
  /** It ends what runs on the instance instead of being refused: where something does, the answer is `occupied`. */
  supersedes?: boolean;
  /** It has ended another operation, which may have brought the instance elsewhere. */
  superseded?: boolean;
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
  serverGroup?: string | null;
  /** Networks and bridges that it is to be connected to. */
  networks?: string[];
}

export type BeginAnswer =
  /**
   * `committed`: a run of this very operation, which was reset, had passed the point of no return. The work is
   * done and must not be done again; these are the clean-ups that are left.
   */
  | { outcome: 'began'; owner: Owner; instance: Instance; committed?: Intent[] }
  /** The operation id is closed already (a repeated request, or a reset run): its record, nothing to do. */
  | { outcome: 'closed'; state: string; result: Record<string, unknown> | null; error: ErrorRecord | null }
  /** Another operation has it, which the caller is to end, and then begin again. Nothing is written. */
  | { outcome: 'occupied' }
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
  settled: Settled[];
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
  settled: Settled[];
  /** Sentences of what is left; not empty sets needsRepair. */
  left: string[];
}

/**
 * The claim belongs to the operation that makes the call (`Call.owner`). What it asks for is what the operation declares
 * (`places` of `defineOperation`), so that a dry run asks for the same.
 */
export interface ClaimInput extends PlacementRequest {
  /** Chosen by the caller; a repeated claim with the same id answers the same. */
  claim: string;
  /** Seconds to wait while every rejection is temporary; 0 refuses at once. */
  waitSeconds: number;
}
export interface ClaimAnswer {
  host: HostRef;
  /** Of an evacuation: what tells that the host sees the files that the lost host saw. */
  proof?: StorageProof;
}
export interface StorageProof {
  /** Paths in stores that both declare, by the operator's word. */
  declared: string[];
  /** Another host that lives, to prove that the directory is shared at all. */
  witness: HostRef | null;
}

/** What operators say of a host; `storage`: its shared stores by name, and where they are mounted. */
export interface HostSettings {
  zone: string;
  labels: Record<string, string>;
  storage: Record<string, string>;
  slots: number;
  reserve_mib: number;
  cpu_overcommit: number;
  reserved: boolean;
  control_plane: boolean;
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
  /** The record of a move while the guest is off, by the operation that calls; repeated, nothing changes. */
  recordMigration(input: {
    migration: string;
    source: string;
    target: string;
    storage: 'shared' | 'block';
  }): Promise<void>;
  closeMigration(input: {
    migration: string;
    state: 'completed' | 'failed';
    reason: string | null;
  }): Promise<void>;
  /** By name or id; NotFound. */
  getFlavor(input: { flavor: string }): Promise<Flavor>;
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
  /** Changes those that are named; an empty zone, label or store takes it away. */
  setHost(input: {
    host: string;
    settings: { [K in keyof HostSettings]?: HostSettings[K] | undefined };
    request: Request;
  }): Promise<{ was: HostSettings }>;
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
  /** How the last operation of that kind on the host ended; both null where its workflow was ended from outside. */
  endOfHostOperation(input: { host: string; kind: string }): Promise<{
    result: Record<string, unknown> | null;
    error: ErrorRecord | null;
  }>;
  /** `ended`: how the run ended, where its record is closed already. */
  startRun(input: RunStart): Promise<{ ended: Pick<RunFinish, 'outputs' | 'error'> | null }>;
  finishRun(input: RunFinish): Promise<void>;
  /** Items as they ended; a row that is there already is replaced by a later attempt. */
  recordItems(input: { run: string; step: string; attempt: number; items: RunItemRecord[] }): Promise<void>;
  /** `id`: recorded a second time, it changes nothing. */
  recordRunAction(input: Omit<RunActionRecord, 'at'> & { id: string }): Promise<void>;
  /** What somebody asked of a running operation; recorded a second time, it changes nothing. */
  recordOperationAction(input: Omit<OperationAction, 'at'> & { id: string }): Promise<void>;
  /** A rung of a migration that the operation itself took. */
  recordRung(input: { migration: string } & Omit<LadderStep, 'at'>): Promise<void>;
  /** One run at a time has a key. Waits, heartbeating; takes over from a run whose workflow is closed. */
  takeConcurrency(input: {
    key: string;
    run: string;
    seconds: number;
  }): Promise<{ taken: boolean; holder: string | null }>;
  /** Gives back every key that the run has. */
  releaseConcurrency(input: { run: string }): Promise<void>;
  /** Whether the restart policy of an instance may start it once more; `refused` says why not. */
  mayRestart(input: { instance: string }): Promise<{ refused: string | null }>;
  /** Instances whose operation is open in the inventory although its workflow is not, or that need repair. */
  findOrphans(input: Record<string, never>): Promise<
    {
      instance: string;
      name: string;
      why: string;
      restart?: true;
      /** Asked for while its host was silent: it is done now, in that person's name. */
      terminate?: { by: string; role: Request['role']; keepDisks: boolean };
      /** A host, whose recovery was ended from outside: it is begun again, in the name of who asked for it. */
      recover?: { incident: string; by: string };
    }[]
  >;
}
