/** The names and shapes of the activities that take a host back. They alone call a host that is fenced. */
import type { HostRef } from '../../model/host.js';
import type { Disk, PowerState } from '../../model/instance.js';
import type { Owner, Request, Settled } from '../../model/operation.js';

/** A guest of a host that was away, whose instance is elsewhere by now. */
export interface StaleGuest {
  instance: string;
  name: string;
  power: PowerState;
  /** Where the inventory has it; null where it is deleted. */
  elsewhere: string | null;
  /** Its definition is the way back of a resize that nobody confirmed: it is kept, and the guest off. */
  held: boolean;
}

export interface ReturnedGuests {
  stale: StaleGuest[];
  /** The inventory still has them here. */
  here: { instance: string; name: string; power: PowerState }[];
  /** The inventory has them here, and the host does not know them. */
  missing: { instance: string; name: string }[];
  /** Nobody's, or of instances that the inventory places on no host: never touched. `says` tells which. */
  unknown: { id: string; name: string; power: PowerState; says: string }[];
  /** Names of those that the host starts by itself at its next boot. */
  autostart: string[];
}

/** What a readmission came to; kept with its record, so that a run that was reset finds what the run before it did. */
export interface Readmitted {
  enabled: boolean;
  /** Why it is not enabled, or that it is. */
  says: string;
  /** What was held there for nothing. */
  released: string[];
  /** What the incident evacuated from here, and runs elsewhere now. */
  evacuated: { instance: string; name: string }[];
}

/** A disk on the returned host that an instance elsewhere may have a copy of; `other` is null where nobody could look. */
export interface PerhapsStale {
  instance: string;
  name: string;
  path: string;
  other: HostRef;
}

/** A disk that is to be removed as soon as its host, which was fenced, is readmitted. */
export interface KeptDisk {
  /** The intent. */
  operation: string;
  seq: number;
  instance: string;
  name: string;
  path: string;
  host: string;
  /** A file that the host's worker did not make for the instance stays. */
  onlyIfMade: boolean;
}

/** Hosts that live and may reach a disk of a fenced host: `declared` by the operator's word, `others` if they prove it. */
export interface DiskSharers {
  format: Disk['format'];
  declared: HostRef[];
  others: HostRef[];
}

export interface ReturnActivities {
  /** What a run of this very readmission before this one, which was reset, has done; else whether it may still go on. */
  beginReadmission(input: { host: string; request: Request }): Promise<{ before: Readmitted | null }>;
  /** Waits, heartbeating, until the host answers: TimedOut; HostReplaced where it is another machine. */
  awaitReturn(input: { host: HostRef; seconds: number }): Promise<void>;
  /** From here on nothing is evacuated from it any more; refused while something is. */
  releaseFence(input: { host: string; request: Request }): Promise<void>;
  listReturned(input: { host: HostRef }): Promise<ReturnedGuests>;
  /** Ends it if it runs, which would be a second copy, removes its definition, and looks whether it is gone. */
  removeStale(input: { host: HostRef; guest: StaleGuest }): Promise<{ ran: boolean }>;
  /** No guest of the host, whoever's, is started by it when it boots. */
  stopAutostart(input: { host: HostRef }): Promise<{ names: string[] }>;
  /** Directories in which disks are, and the disks of what was evacuated from the host: those may have any name. */
  diskPlaces(input: { host: string }): Promise<{
    directories: string[];
    disks: string[];
    /** To be removed now; absent where there are none. */
    kept?: KeptDisk[];
  }>;
  /** Who may remove a disk of a terminated instance in place of its fenced host. */
  diskSharers(input: {
    operation: string;
    instance: string;
    path: string;
    lost: string;
  }): Promise<DiskSharers>;
  /** Takes a kept disk to remove it; `stays`: why it must not be removed any more. */
  claimKeptDisk(input: {
    host: string;
    kept: KeptDisk;
    request: Request;
  }): Promise<{ owner: Owner } | { stays: string }>;
  closeKeptDisk(input: Settled): Promise<void>;
  /** Which of the files there are disks of instances on other hosts, by their paths. */
  perhapsStale(input: { host: string; found: string[] }): Promise<{ disks: PerhapsStale[] }>;
  /** Takes an old copy to remove it: refused where the instance is here by now, or an operation runs on it. */
  claimStaleDisk(input: { host: string; instance: string; path: string; request: Request }): Promise<{
    owner: Owner;
  }>;
  /** Releases what is held there for nothing, counts anew, takes the fence off, and enables the host, if nobody had disabled it. */
  closeReadmission(input: {
    host: string;
    request: Request;
    seen: { instance: string; power: PowerState }[];
    says: string[];
  }): Promise<Readmitted>;
  /**
   * Cuts a fenced host off again that runs what runs elsewhere: a few times, at most once a minute, while recovery is
   * armed. Where it is not cut off although it should be, its incident waits. Asked of the recovery workers.
   */
  cutOffAgain(input: { host: HostRef }): Promise<{ cut: boolean; says: string }>;
  /** Which guests run on a host that is fenced; the evidence is wrong if one does, or if the host answers while it is held off. */
  seenRunning(input: { host: HostRef }): Promise<{
    answers: boolean;
    running: { instance: string; name: string; elsewhere: string | null }[];
  }>;
}
