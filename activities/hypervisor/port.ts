import type { HostRef } from '../../model/host.js';
import type { Disk, PowerState } from '../../model/instance.js';
import type { Owner } from '../../model/operation.js';

/** What a hypervisor can do. An operation names what it needs; a missing capability fails before any side effect. */
export type Capability = 'launch' | 'pause' | 'liveMigration' | 'blockMigration' | 'console';

/** What a host says of itself. Memory in MiB. */
export interface HostFacts {
  hostname: string;
  systemUuid: string;
  vcpus: number;
  memoryMiB: number;
  hypervisor: string;
}

/** A guest as one hypervisor sees it. `persistent` is false for a guest without a stored definition. */
export interface GuestView {
  id: string;
  name: string;
  power: PowerState;
  reason: string;
  persistent: boolean;
  vcpus: number;
  memoryMiB: number;
  disks: Disk[];
  serialLog: string | null;
  managedSave: boolean;
  snapshots: number;
  checkpoints: number;
  stamp: Owner | null;
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
};

export interface CompletedMigration {
  totalMs: number | null;
  downtimeMs: number | null;
  transferredBytes: number | null;
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
  /** null when the host answers and does not know the guest. */
  look(host: HostRef, id: string): Promise<GuestView | null>;
  define(host: HostRef, spec: GuestSpec, stamp: Owner): Promise<void>;
  /** `guest` as it was just seen: whoever stamps has looked who else did. */
  stamp(host: HostRef, guest: GuestView, stamp: Owner): Promise<void>;
  start(host: HostRef, id: string): Promise<void>;
  /** Asks the guest's operating system (ACPI) and returns; the caller watches. */
  requestShutdown(host: HostRef, id: string): Promise<void>;
  requestReboot(host: HostRef, id: string): Promise<void>;
  /** Ends the guest's process; its definition stays. */
  destroy(host: HostRef, id: string): Promise<void>;
  pause(host: HostRef, id: string): Promise<void>;
  unpause(host: HostRef, id: string): Promise<void>;
  /** Removes the definition (not the disks). Refuses a running guest with HypervisorError. */
  undefine(host: HostRef, id: string): Promise<void>;
  /**
   * Starts a live migration that goes on without its client. `ended` settles when the client process does,
   * with its error message or null; it is a hint to look, never the verdict.
   */
  startMigration(move: Move): Promise<{ ended: Promise<string | null> }>;
  /** The active job of a guest, null when there is none. */
  job(host: HostRef, id: string): Promise<JobView | null>;
  abortJob(host: HostRef, id: string): Promise<void>;
  /** Statistics of the last completed migration into `host`, where the hypervisor kept them. */
  completedMigration(host: HostRef, id: string): Promise<CompletedMigration | null>;
  /** The command that attaches this terminal to the guest's serial console. */
  consoleCommand(host: HostRef, id: string): { file: string; args: string[] };
}
