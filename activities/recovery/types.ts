/** The names and shapes of the activities of a recovery. */
import type { Host, HostRef } from '../../model/host.js';
import type { ErrorRecord } from '../../model/errors.js';
import type {
  Evidence,
  HaPolicy,
  IncidentState,
  Recovered,
  RecoveryMode,
  Testimony,
  Verdict,
} from '../../model/incident.js';
import type { Request } from '../../model/operation.js';
import type { RecoveryRules } from '../../model/recovery.js';

/** Done by a vantage point (`drover worker --vantage NAME`), which has no inventory: `others` are the hosts to compare with. */
export interface VantageActivities {
  testify(input: { host: HostRef; others: HostRef[] }): Promise<Testimony>;
}

/** An instance of the lost host, in the order in which they are brought back. */
export interface Casualty {
  instance: string;
  name: string;
  ha: HaPolicy;
  state: string;
  /** Why it is not evacuated; null if it is to be. */
  skip: string | null;
  /** What the operator is told of it all the same: that it is locked. */
  tell: string | null;
}

export interface RecoveryActivities {
  /**
   * One incident per host since its last readmission. `joined`: there is one already, and it goes on from what is recorded:
   * the host's fence, and who approved it. `refused`: nothing is opened (control plane, maintenance, disarmed), and why.
   */
  openIncident(input: { request: Request; host: string; reason: string }): Promise<{
    incident: string;
    joined: boolean;
    refused: ErrorRecord | null;
    host: Host;
    mode: RecoveryMode;
    /** Names of the vantage points, by the configuration. */
    vantages: string[];
    others: HostRef[];
    rules: RecoveryRules;
    /** Who approved the fence of this incident, where somebody did. */
    approvedBy: string | null;
    /** Fence devices that said off of this host while it lived: they are not believed again in this incident. */
    distrusted: string[];
  }>;
  /** Lines of its log; and what it waits for, its state, its verdict where they are named. Repeated, it changes nothing. */
  noteIncident(input: {
    incident: string;
    lines: { id: string; phase: string; says: string; details?: Record<string, unknown> }[];
    state?: IncidentState;
    verdict?: Verdict;
    waitsFor?: string | null;
    instances?: Recovered[];
  }): Promise<void>;
  /** The switch that holds now: it may have been turned since the incident was opened. */
  recoveryMode(input: { host: string }): Promise<{ mode: RecoveryMode; says: string }>;
  /**
   * Takes one fence out of the budget of the host's failure domain and of the fleet, or says why not: atomic over all
   * recoveries. It counts the hosts that are suspected at this moment, too, so that the first of a storm is held as well:
   * those whose last probe found them silent, so probe all hosts (`probeHosts`) after the settling time and before this.
   * `approvedBy`: a person lets it pass the brake.
   */
  takeFence(input: {
    incident: string;
    host: string;
    approvedBy?: string;
  }): Promise<{ granted: true } | { granted: false; says: string; suspects: string[] }>;
  /** From here on nothing is asked of the host any more, and evacuations from it are admitted. */
  setFence(input: { incident: string; host: string; evidence: Evidence }): Promise<void>;
  /** A contradiction was seen: evacuations are refused again. */
  /** `readmitted`: the host was taken back meanwhile, and there is nothing to withdraw, nor to recover. */
  withdrawFence(input: { incident: string; host: string; says: string }): Promise<{ readmitted: boolean }>;
  /** Whether a watchdog or lease that was armed before the outage has certainly run out by now. */
  watchdogEvidence(input: {
    host: string;
    silentSince: string;
  }): Promise<{ evidence: Evidence | null; inSeconds: number | null; says: string }>;
  /** What is (still) on the host, in the order of evacuation. */
  casualties(input: { host: string }): Promise<{ casualties: Casualty[] }>;
  closeIncident(input: {
    incident: string;
    state: IncidentState;
    instances: Recovered[];
    error: ErrorRecord | null;
  }): Promise<void>;
}
