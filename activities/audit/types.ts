/** The names and shapes of the activities of an audit. Long lists stay in the database: only their names go over the wire. */
import type {
  AuditOptions,
  AuditRecord,
  FindingKind,
  Repair,
  SeenFile,
  SeenFiles,
} from '../../model/audit.js';
import type { HostRef } from '../../model/host.js';
import type { Owner } from '../../model/operation.js';

/** What one directory of a host has of drover's; by its `digest` it is known which hosts share one. */
export interface ListedDirectory {
  directory: string;
  digest: string;
  /** null where they are too many to be told unasked (`full`). */
  files: SeenFile[] | null;
}

export interface ListedFiles extends Omit<SeenFiles, 'found'> {
  directories: ListedDirectory[];
  /** Files elsewhere that this worker made. */
  made: SeenFile[];
}

export interface AuditSummary {
  hosts: number;
  instances: number;
  silent: string[];
  withoutWorker: string[];
  skipped: number;
  kinds: Partial<Record<FindingKind, number>>;
  /** The first sentences, the loudest first. */
  seen: string[];
  repairs: Repair[];
}

export interface AuditActivities {
  /** Begins it, or a second look at the same; answers when that was, whom to ask, and where disks are. */
  beginAudit(input: {
    audit: string;
    by: string;
    options: AuditOptions;
  }): Promise<{ since: string; hosts: HostRef[]; directories: string[] }>;
  /** Lists the guests of these hosts and keeps the lists; answers which answered, and the paths of the disks there. */
  lookAtHosts(input: {
    audit: string;
    hosts: HostRef[];
  }): Promise<{ answered: { host: HostRef; disks: string[] }[] }>;
  keepFiles(input: { audit: string; hosts: { host: string; files: SeenFiles }[] }): Promise<void>;
  /** Compares what is recorded with what was seen, and writes down what is wrong. */
  compareInventory(input: { audit: string; since: string; withoutWorker: string[] }): Promise<AuditSummary>;
  /** Releases what is still held for nothing, looked at anew. */
  releaseLeaked(input: { audit: string; allocation: string }): Promise<{ released: boolean }>;
  /** Raises epochs above those that the audit saw on the hosts, if the inventory is older than they are. */
  raiseEpochs(input: { audit: string }): Promise<{ raised: number }>;
  /** Counts anew what is in use on a host. */
  countUsage(input: { host: string }): Promise<void>;
  /** Takes a guest in that runs already; nothing is changed on its host. */
  adoptGuest(input: { host: string; instance: string }): Promise<{ adopted: boolean }>;
  /** Proves anew that nobody uses the disk of a deleted instance, and takes it: Refused with DiskError otherwise. */
  claimOrphan(input: { audit: string; instance: string; path: string; host: string }): Promise<{
    owner: Owner;
    host: HostRef;
  }>;
  endAudit(input: { audit: string; repaired: AuditRecord['repaired'] }): Promise<void>;
}
