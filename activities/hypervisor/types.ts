/** The names and shapes of the activities that act on hypervisors. */
import type { HostRef } from '../../model/host.js';
import type { Disk, MovePolicy, PowerState } from '../../model/instance.js';
import type { InstancePatch, IntentCall } from '../../model/operation.js';
import type { UndoAnswer } from '../inventory/types.js';
import type { Quarantined } from './deps.js';
import type { GuestSpec, JobView } from './port.js';

/** One host's view of one guest; `power` is `unknown` with the error when the host did not answer. */
export interface Sighting {
  host: string;
  power: PowerState;
  /** In the hypervisor's words: `crashed`, `destroyed`; absent in histories of old. */
  reason?: string;
  /** Its memory is saved there. */
  managedSave?: boolean;
  /** It is one of the two halves of a guest (`GuestView.postCopy`). */
  postCopy?: 'running' | 'failed' | null;
  /** Nobody asked: the host is fenced, so that the guest certainly does not run there. */
  fenced?: true;
  persistent: boolean;
  disks: Disk[];
  job: JobView | null;
  error: string | null;
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
  /** How far it may go when the guest writes faster than is copied; and how long it may make no progress. */
  policy?: MovePolicy;
  noProgressSeconds?: number;
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

/** How a migration that runs is brought to its end by somebody who asks for it. */
export const steerWays = ['downtime', 'post-copy', 'pause'] as const;
export type SteerWay = (typeof steerWays)[number];

export interface Guest {
  instance: string;
  name: string;
  host: HostRef;
}

/** A guest that goes from host to host while it is off. */
export interface ColdWays {
  instance: string;
  name: string;
  source: HostRef;
  target: HostRef;
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
  /** Memory to the host's disk and off; heartbeats, and found again after a crash. */
  saveGuest(input: Guest): Promise<void>;
  undoSave(input: Guest): Promise<UndoAnswer>;
  /** From the saved memory; StaleSavedState. `lost`: the hypervisor could not read it, and booted. */
  restoreGuest(input: Guest): Promise<{ memory: 'kept' | 'lost' }>;
  /** Ends the process and removes the definition. */
  removeGuest(input: Guest): Promise<UndoAnswer>;
  /** Removes a definition that is left on another host; a guest that is on stays, and the call is refused. */
  removeDefinition(input: Guest): Promise<void>;
  disableAutostart(input: Guest): Promise<void>;
  migrateGuest(input: MigrateInput): Promise<MigrateAnswer>;
  undoMigrate(input: MigrateInput): Promise<UndoAnswer>;
  /** Beside `migrateGuest`, which sees it in the job. `downtimeMs` null: as long as the switch-over takes. */
  steerMigration(input: {
    migration: string;
    instance: string;
    name: string;
    source: HostRef;
    way: SteerWay;
    downtimeMs: number | null;
    liftCap: boolean;
    by: string;
  }): Promise<{ said: string }>;
  /**
   * Ends what a failed post-copy left of a guest on `host`, its target, and on the source of its last migration, and keeps
   * a definition on `host`. `left`: what could not be ended there; `copied`: paths of the disks whose old copies are on `source`.
   */
  clearHalves(input: Guest): Promise<{ left: string[]; source: HostRef | null; copied: string[] }>;
  /** Refuses what can't move while it is off, `disks` being those to copy; an old definition of it on the target, which is off, goes. */
  checkColdMove(input: ColdWays & { disks: Disk[] }): Promise<void>;
  /** The stored definition of a guest that is off, from host to host; it is on both then. */
  copyDefinition(input: ColdWays): Promise<void>;
  /** Removes the definition of a guest that is off, and no more. */
  dropDefinition(input: Guest): Promise<void>;
  resizeDefinition(input: Guest & { vcpus: number; memoryMiB: number }): Promise<void>;
  /** For an undo: a guest that was stopped for a while, or told to go down within `graceSeconds`, runs again. */
  restartGuest(input: Guest & { graceSeconds: number }): Promise<void>;
  /** The undo of a start after which nothing is taken back: a guest that runs is there, with `patch`. */
  undoArrival(input: Guest & { patch: InstancePatch; cleanup: IntentCall[] }): Promise<UndoAnswer>;
  /** Asks every host of the inventory how it is and records the answer. */
  probeHosts(input: Record<string, never>): Promise<{
    up: string[];
    unknown: { host: string; reason: string }[];
    /** Fenced hosts that answer again; absent in histories of old. */
    quarantined?: Quarantined[];
  }>;
}
