/**
 * The names and shapes of all activities. Workflows import these types and `table.ts`, never the code.
 * Inputs and answers are JSON objects; errors are those of the error table.
 */
import type { AuditActivities, ListedFiles } from './audit/types.js';
import type { EvacuationActivities } from './evacuation/types.js';
import type { FencingActivities } from './fencing/types.js';
import type { RecoveryActivities, VantageActivities } from './recovery/types.js';
import type { HypervisorActivities } from './hypervisor/types.js';
import type { InventoryActivities, UndoAnswer } from './inventory/types.js';
import type { ReturnActivities } from './recovery/return-types.js';
import type { Disk } from '../model/instance.js';
import type { IntentCall, Owner } from '../model/operation.js';
import type { HostRef } from '../model/host.js';
import type { SelfFence } from '../model/fence-check.js';
import type { PreparedSchedule, ScheduledOrder } from '../model/schedule.js';

export type * from './audit/types.js';
export type * from './evacuation/types.js';
export type * from './fencing/types.js';
export type * from './hypervisor/types.js';
export type * from './recovery/types.js';
export type * from './inventory/types.js';
export type * from './recovery/return-types.js';

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
  /**
   * `format` as the definition has it: without it the file's own header is believed, which a guest can write. `unused`:
   * DiskError while a process has it open to write, on whichever host that shares the lock.
   */
  diskFacts(input: { path: string; format?: 'qcow2' | 'raw'; unused?: boolean }): Promise<{
    path: string;
    format: 'qcow2' | 'raw';
    bytes: number;
    allocatedBytes: number;
    backing: string | null;
    /** When it was written last, RFC 3339 in UTC. */
    modifiedAt: string;
  }>;
  /** Sharing is proven, not believed: one host writes a nonce beside the disk, the other reads it. */
  writeProbe(input: { directory: string; nonce: string }): Promise<void>;
  readProbe(input: { directory: string; nonce: string }): Promise<{ shared: boolean }>;
  removeProbe(input: { directory: string; nonce: string }): Promise<void>;
  /** The files here that drover made or that bear an instance's id, those at `disks`, and saved memories. */
  listFiles(input: { directories: string[]; disks: string[]; full: boolean }): Promise<ListedFiles>;
  /** Removes the saved memory of a guest that the hypervisor here knows nothing of any more. */
  removeSavedMemory(input: { instance: string; name: string }): Promise<{ removed: boolean }>;
  readSerialLog(input: { path: string; tailBytes: number }): Promise<{ text: string; bytes: number }>;
  /** Refuses, before a guest is stopped to copy its disk, what would be in the way of the copy. */
  checkImport(input: { instance: string; path: string; replaces: boolean }): Promise<void>;
  /**
   * Offers a disk that nothing uses to another host, read-only and unencrypted, under a random name; ends by itself after
   * `seconds`. `uri` is the host's own: where others reach it. Repeated, it answers the export that goes on.
   */
  exportDisk(input: {
    instance: string;
    path: string;
    format: 'qcow2' | 'raw';
    export: string;
    uri: string;
    seconds: number;
  }): Promise<{ address: string; port: number; bytes: number }>;
  unexportDisk(input: { instance: string; export: string }): Promise<void>;
  /** Copies an export to `path`: whole or not at all. `replaces` an old copy of the disk; any other file is refused. */
  importDisk(input: {
    instance: string;
    path: string;
    format: 'qcow2' | 'raw';
    bytes: number;
    export: string;
    from: { host: string; address: string; port: number };
    replaces: boolean;
  }): Promise<{ bytes: number }>;
  /** Removes what an import has not finished; a disk that is there stays. */
  dropImport(input: { instance: string; path: string }): Promise<void>;
  /** Makes a disk larger that nothing uses; one that is large enough stays. It is never made smaller. */
  growDisk(input: {
    instance: string;
    path: string;
    format: 'qcow2' | 'raw';
    bytes: number;
  }): Promise<{ grew: boolean }>;
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
  /** What the platform's own daemons (sbd, watchdog, sanlock) have armed here that silence alone sets off. */
  selfFence(input: Record<string, never>): Promise<{ armed: SelfFence | null }>;
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

/** Loads and freezes the runbook of a schedule whose time has come, and records the start; or says why nothing is begun. */
export interface ScheduleActivities {
  prepareScheduledRun(input: { order: ScheduledOrder; time: string; run: string }): Promise<PreparedSchedule>;
}

export type Activities = InventoryActivities &
  RecoveryActivities &
  VantageActivities &
  FencingActivities &
  EvacuationActivities &
  AuditActivities &
  ReturnActivities &
  HypervisorActivities &
  DiskActivities &
  HostActivities &
  HostWaitActivities &
  ScheduleActivities &
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
