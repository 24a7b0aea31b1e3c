/** What an audit of the inventory looks for, what it found, and what may be done about it. */
import type { Owner } from './operation.js';

export const findingKinds = {
  'older-inventory': 'the inventory is older than what the hosts have seen: it was restored from a backup',
  'two-copies': 'an instance runs on two hosts at the same time',
  'unknown-guest': 'a guest that the inventory does not know',
  'missing-guest': 'the host of an instance answers and has no guest of it',
  'wrong-host': 'the guest is on another host than the record says',
  'wrong-state': 'state or power of the record are not those of the guest',
  'definition-elsewhere': 'a definition of the guest is left on another host',
  'stale-save-file': 'a saved memory that is of no suspended instance',
  'orphan-disk': 'a disk that no instance and no guest refers to',
  'leaked-allocation': 'room or a migration slot is held for nothing',
  'wrong-allocation': 'what an instance takes of its host is not what its record says',
  'group-violated': 'the rule of a server group does not hold',
  autostart: 'the host starts the guest by itself at its next boot',
} as const;
export type FindingKind = keyof typeof findingKinds;

export interface Finding {
  kind: FindingKind;
  instance: string | null;
  name: string | null;
  host: string | null;
  path: string | null;
  /** What was seen, and what the record says instead. */
  seen: string;
  why: string;
  /** The next thing to do, a command where there is one. */
  todo: string;
  /** What `--repair` does about it; null for what people must decide. */
  repair: string | null;
}

/** A repair that needs no decision: it is done by an ordinary operation, or by one transaction of the inventory. */
export type Repair =
  | { by: 'operation'; operation: string; instance: string; name: string; input: Record<string, unknown> }
  | { by: 'release'; allocation: string; what: string }
  | { by: 'count'; host: string }
  | { by: 'epochs' }
  | { by: 'adopt'; instance: string; name: string; host: string }
  | { by: 'remove-disk'; instance: string; path: string; host: string };

/** A guest as an audit keeps it: what is compared, and no more. */
export interface SeenGuest {
  id: string;
  name: string;
  power: string;
  /** One of two halves of a guest whose post-copy migration broke or goes on. */
  half: boolean;
  persistent: boolean;
  managedSave: boolean;
  autostart: boolean;
  vcpus: number;
  memoryMiB: number;
  disks: string[];
  stamp: Owner | null;
}

/** A file as the worker of a host sees it. `inode` tells one file on shared storage from two of the same path. */
export interface SeenFile {
  path: string;
  inode: string;
  bytes: number;
  /** The instance that this host's worker made it for, by its own notes. */
  made: string | null;
}

export interface SeenFiles {
  /** Files that drover made or that bear the id of an instance; null where they are listed by another host. */
  found: SeenFile[];
  /** The disks of the guests here, as far as they are there. */
  disks: SeenFile[];
  /** Saved memories: the names of the guests, as libvirt names the files. */
  saves: { guest: string; path: string }[];
}

export type SeenHost =
  | { state: 'answered'; guests: SeenGuest[]; files: SeenFiles | null }
  | {
      state: 'silent';
      reason: string;
      /** Fenced, and it answers: who runs there although the inventory has it elsewhere. */
      quarantined?: { instance: string; name: string; elsewhere: string }[];
    };

export interface AuditOptions {
  repair: boolean;
  adopt: boolean;
  removeOrphanDisks: boolean;
  /** The only hosts to look at; null for all. */
  hosts: string[] | null;
}

/** What was looked at, and what was not. */
export interface AuditScope {
  hosts: number;
  instances: number;
  silent: { host: string; reason: string }[];
  /** Hosts whose files nobody looked at, since no worker runs there. */
  withoutWorker: string[];
  /** Instances that were left alone, such as those with a running operation. */
  skipped: { instance: string; name: string; why: string }[];
}

/** Times are RFC 3339 in UTC; `endedAt` null while it runs, or when its workflow was ended from outside. */
export interface AuditRecord {
  id: string;
  at: string;
  endedAt: string | null;
  by: string;
  options: AuditOptions;
  scope: AuditScope;
  findings: Finding[];
  repaired: { what: string; error: string | null }[];
}
