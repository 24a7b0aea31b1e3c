import type { HostCpu, HostRef } from '../../model/host.js';
import type { Disk, PowerState } from '../../model/instance.js';
import type { Owner } from '../../model/operation.js';

/** What a hypervisor can do. An operation names what it needs; a missing capability fails before any side effect. */
export type Capability =
  'launch' | 'pause' | 'suspend' | 'liveMigration' | 'coldMigration' | 'blockMigration' | 'console';

/** What a host says of itself. Memory in MiB. */
export interface HostFacts {
  hostname: string;
  systemUuid: string;
  vcpus: number;
  memoryMiB: number;
  hypervisor: string;
  /** Null where it does not tell. */
  cpu: HostCpu | null;
  /** Networks and bridges to which guests can be connected. */
  networks: string[] | null;
}

/** A guest as one hypervisor sees it. `persistent` is false for a guest without a stored definition. */
export interface GuestView {
  id: string;
  name: string;
  power: PowerState;
  reason: string;
  /**
   * One of two halves: it runs on its target while the rest of its memory is on its source, or the stream between them
   * broke. Neither half is a guest of its own, and the source's must never be resumed. Null for a whole guest.
   */
  postCopy: 'running' | 'failed' | null;
  persistent: boolean;
  vcpus: number;
  memoryMiB: number;
  disks: Disk[];
  /** How its processor is made, by its stored definition: `host-model`, `custom`; `default` where it says nothing. */
  cpuMode: string;
  /** Networks and bridges that it is connected to. */
  networks: string[];
  serialLog: string | null;
  managedSave: boolean;
  /** The host starts it by itself when it boots. */
  autostart: boolean;
  snapshots: number;
  checkpoints: number;
  stamp: Owner | null;
  /** Its stored definition in the hypervisor's own words, without the stamp: `defineFrom` makes it again elsewhere. */
  definition: string;
}

/** A definition to make. `serialLog` is where the hypervisor keeps the serial console's output on the host. */
export interface GuestSpec {
  id: string;
  name: string;
  vcpus: number;
  memoryMiB: number;
  disks: Disk[];
  bridges: string[];
}

/** A live migration. `copy` names the disk targets to copy ('vda'); empty where the storage is shared. */
export interface Move {
  id: string;
  name: string;
  source: HostRef;
  target: HostRef;
  copy: string[];
  /** MiB per second, null for no cap. */
  bandwidthMiBs: number | null;
  /** The hypervisor may slow the guest's processors down while it writes faster than is copied; it does so by itself. */
  autoConverge?: boolean;
  /** `startPostCopy` may come: hypervisors want to know before the first byte. */
  postCopy?: boolean;
}

/** A running job of a guest; bytes and milliseconds as the hypervisor reports them, null where it does not. */
export interface JobView {
  operation: string;
  /** It moves the guest. Any other (a backup, a dump) is somebody else's: not to be followed, nor to be aborted. */
  migrates: boolean;
  elapsedMs: number | null;
  totalBytes: number | null;
  processedBytes: number | null;
  remainingBytes: number | null;
  memoryBytesPerSecond: number | null;
  iteration: number | null;
  /** What the guest writes, and how much its processors are slowed down for it, in percent. */
  dirtyBytesPerSecond: number | null;
  throttlePercent: number | null;
  /** How long it would stand still if it were switched over now, as the hypervisor reckons. */
  expectedDowntimeMs: number | null;
  /** The guest runs on the target already, and asks for its memory. */
  postCopy: boolean;
}

/** The job of a guest that comes in: hypervisors tell its figures on the source only. */
export const incomingJob: JobView = {
  operation: 'incoming migration',
  migrates: true,
  elapsedMs: null,
  totalBytes: null,
  processedBytes: null,
  remainingBytes: null,
  memoryBytesPerSecond: null,
  iteration: null,
  dirtyBytesPerSecond: null,
  throttlePercent: null,
  expectedDowntimeMs: null,
  postCopy: false,
};

export interface CompletedMigration {
  totalMs: number | null;
  downtimeMs: number | null;
  transferredBytes: number | null;
}

/** What became of a guest, as its host tells it: it is off, or it stands still. */
export interface GuestEvent {
  /** RFC 3339 in UTC, when it was heard. */
  at: string;
  id: string;
  event: 'stopped' | 'paused';
  /** In the hypervisor's words: `Stopped Failed`. */
  detail: string;
}

/** All that a probe can afford to ask of each guest of hundreds of hosts. */
export interface GuestPower {
  id: string;
  power: PowerState;
}

/**
 * The port to hypervisors. Every call has a time limit of its own and throws DroverError:
 * HypervisorUnreachable (retryable), HypervisorError, NotFound for a guest that is not there, Unsupported.
 * Every changing call is idempotent: what is already so is success.
 */
export interface Hypervisor {
  readonly capabilities: ReadonlySet<Capability>;
  facts(host: HostRef): Promise<HostFacts>;
  list(host: HostRef): Promise<GuestView[]>;
  /** Who is there, and no more: cheap also where there are many. */
  names(host: HostRef): Promise<{ id: string; name: string }[]>;
  powers(host: HostRef): Promise<GuestPower[]>;
  /**
   * Tells what becomes of the host's guests from now on, whoever does it. Returns when the signal is aborted, and
   * throws when the host is lost.
   */
  watch(host: HostRef, tell: (event: GuestEvent) => void, signal: AbortSignal): Promise<void>;
  /** null when the host answers and does not know the guest. */
  look(host: HostRef, id: string): Promise<GuestView | null>;
  define(host: HostRef, spec: GuestSpec, stamp: Owner): Promise<void>;
  /**
   * Defines the guest from what `GuestView.definition` said of it on another host, which need not answer any more. What
   * lies there of an earlier stay (saved memory, autostart) does not come to life; a guest that is on is left alone.
   * HypervisorError where another guest has its name. `seen`: the guest there as it was just looked at, for a driver that
   * would look itself.
   */
  defineFrom(
    host: HostRef,
    id: string,
    definition: string,
    stamp: Owner,
    seen?: GuestView | null,
  ): Promise<void>;
  /** `guest` as it was just seen: whoever stamps has looked who else did. */
  stamp(host: HostRef, guest: GuestView, stamp: Owner): Promise<void>;
  /**
   * Boots it. Memory that was saved is thrown away, also what the hypervisor does not know of any more. `seen` as for
   * `defineFrom`.
   */
  start(host: HostRef, id: string, seen?: GuestView): Promise<void>;
  /**
   * Writes the memory of a running guest to its host's disk and ends its process; as a migration, it goes on without
   * its client. `restore` starts it from there; StaleSavedState when nothing is saved.
   */
  save(host: HostRef, id: string): Promise<{ ended: Promise<string | null> }>;
  restore(host: HostRef, id: string): Promise<{ ended: Promise<string | null> }>;
  /** Asks the guest's operating system (ACPI) and returns; the caller watches. */
  requestShutdown(host: HostRef, id: string): Promise<void>;
  requestReboot(host: HostRef, id: string): Promise<void>;
  /** Ends the guest's process; its definition stays. */
  destroy(host: HostRef, id: string): Promise<void>;
  pause(host: HostRef, id: string): Promise<void>;
  unpause(host: HostRef, id: string): Promise<void>;
  /** Removes the definition (not the disks). Refuses a running guest with HypervisorError. */
  undefine(host: HostRef, id: string): Promise<void>;
  disableAutostart(host: HostRef, id: string): Promise<void>;
  /** Copies the definition of a guest that is off; it is on both hosts then. Refuses a guest that is on, on either. */
  copyDefinition(source: HostRef, target: HostRef, id: string): Promise<void>;
  /** Of a guest that is off: what it gets at its next start. */
  resizeDefinition(host: HostRef, id: string, size: { vcpus: number; memoryMiB: number }): Promise<void>;
  /**
   * Starts a live migration that goes on without its client. `ended` settles when the client process does,
   * with its error message or null; it is a hint to look, never the verdict.
   */
  startMigration(move: Move): Promise<{ ended: Promise<string | null> }>;
  /** The active job of a guest, null when there is none. */
  job(host: HostRef, id: string): Promise<JobView | null>;
  abortJob(host: HostRef, id: string): Promise<void>;
  /** How long the guest may stand still at the switch-over of the migration that runs on its source. */
  setMaxDowntime(host: HostRef, id: string, ms: number): Promise<void>;
  /** Cap of the migrations of this guest from this host, in MiB per second: kept until it is changed; null for none. */
  setBandwidth(host: HostRef, id: string, mibPerSecond: number | null): Promise<void>;
  /** The guest goes on on the target at once. Refused with HypervisorError where the move was not started for it, or too early. */
  startPostCopy(host: HostRef, id: string): Promise<void>;
  /** Joins the halves of a guest whose post-copy broke; settles when it is whole. HypervisorError when it can't. */
  resumePostCopy(move: Move): Promise<void>;
  /** Statistics of the last completed migration into `host`, where the hypervisor kept them. */
  completedMigration(host: HostRef, id: string): Promise<CompletedMigration | null>;
  /** The command that attaches this terminal to the guest's serial console. */
  consoleCommand(host: HostRef, id: string): { file: string; args: string[] };
}
