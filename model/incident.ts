/** The words of a recovery: what was seen of a host that is silent, what proves that it is off, and what became of it. */
import { z } from 'zod';
import type { ErrorRecord } from './errors.js';

/**
 * Whether and in which order an instance is brought back when its host is lost: 1 first, 5 last, then those with best
 * effort, which never take a reserved host; `never` is left where it is, and told.
 */
export const haPolicies = ['never', 'best-effort', '1', '2', '3', '4', '5'] as const;
export type HaPolicy = (typeof haPolicies)[number];
export const defaultHaPolicy: HaPolicy = '3';

/** How a host is asked whether it lives. Each fails for reasons of its own; an answer to any of them is a sign of life. */
export const signals = ['hypervisor', 'network', 'worker', 'storage'] as const;
export interface Signal {
  signal: (typeof signals)[number];
  /** `none`: it can't be asked from there. */
  seen: 'answers' | 'silent' | 'none';
  detail: string;
}

/** What one vantage point sees of a host. `isolated`: it sees none of the other hosts either, so that its word counts for nothing. */
export interface Testimony {
  vantage: string;
  /** RFC 3339 in UTC. */
  at: string;
  signals: Signal[];
  isolated: boolean;
  /** Other hosts that it asked, and those of them that answered. */
  controls: { asked: number; answered: number };
}

/**
 * - `alive`: its hypervisor answers somebody: a false alarm.
 * - `hung`: its hypervisor answers nobody, but the host itself shows signs of life: its guests may well run.
 * - `down`: at least two vantage points that see others see no sign of life.
 * - `unclear`: fewer than two such vantage points. Nothing is concluded from it.
 */
export interface Verdict {
  verdict: 'alive' | 'hung' | 'down' | 'unclear';
  /** One sentence for the operator. */
  says: string;
  testimonies: Testimony[];
  /** What was seen of it beside: of its worker, of its guests' disks. */
  signs: Signal[];
}

/**
 * Why a host certainly runs nothing, strongest first.
 * - `power-off`: a fence device said so after our `off`; `verified`: its system UUID is that of the host.
 * - `watchdog`, `lease`: armed before the outage (as recorded then), and its time has run out since.
 * - `attested`: a named person said so, for this very incident.
 */
export const evidence = z.object({
  kind: z.enum(['power-off', 'watchdog', 'lease', 'attested']),
  at: z.string(),
  says: z.string(),
  /** The fence device, by its place in the configuration: `host1/1 (fence_redfish)`; null for other kinds. */
  device: z.string().nullable(),
  /** Whether the device was proven to be that of the host by its system UUID. */
  verified: z.boolean(),
  /** The person, for an attestation. */
  by: z.string().nullable(),
});
export type Evidence = z.infer<typeof evidence>;

/** A host that is held off: nothing of it is called any more until it is readmitted. */
export const fence = z.object({
  incident: z.string(),
  at: z.string(),
  evidence,
  /**
   * `held`: kept off until its guests run elsewhere; `released`: it may come back, and is quarantined until it is readmitted;
   * `withdrawn`: something spoke against the evidence, so that nothing is evacuated any more; quarantined, too.
   */
  state: z.enum(['held', 'released', 'withdrawn']),
});
export type Fence = z.infer<typeof fence>;

/** What recoveries may do, for the fleet or one zone. `dry` does all but fence and evacuate; `manual` asks before the fence. */
export const recoveryModes = ['armed', 'manual', 'dry', 'disarmed'] as const;
export type RecoveryMode = (typeof recoveryModes)[number];
export interface RecoverySwitch {
  /** null for the fleet. */
  zone: string | null;
  mode: RecoveryMode;
  reason: string;
  by: string;
  at: string;
  /** RFC 3339; null for until it is changed. */
  until: string | null;
}

export const incidentStates = [
  'confirming',
  'waiting', // for a person: brake, approval, no evidence; or for capacity
  'fencing',
  'evacuating',
  'recovered',
  'partly-recovered', // all was done that could be; what is left is named
  'false-alarm',
  'not-fenced', // ended without a fence: disarmed, dry, rejected, empty, control plane, maintenance
  'failed',
] as const;
export type IncidentState = (typeof incidentStates)[number];

/** How one instance of the host ended. */
export interface Recovered {
  instance: string;
  name: string;
  ha: HaPolicy;
  was: string;
  outcome: 'evacuated' | 'untouched' | 'waiting' | 'failed' | 'skipped';
  host: string | null;
  /** What the operator must know: its RAM is lost, why it was skipped, … */
  says: string;
}

export interface Incident {
  id: string;
  host: string;
  state: IncidentState;
  openedAt: string;
  endedAt: string | null;
  /** When its host was readmitted; a new outage of it is a new incident from then on. */
  readmittedAt: string | null;
  by: string;
  reason: string;
  workflowId: string;
  verdict: Verdict | null;
  evidence: Evidence | null;
  instances: Recovered[];
  /** What it waits for, and what to do: null while it waits for nobody. */
  waitsFor: string | null;
  /** What it ended with, where it did not end well. */
  error: ErrorRecord | null;
}

/** A line of an incident's log, oldest first: what was seen, decided and done. */
export interface IncidentEvent {
  at: string;
  phase: string;
  says: string;
  details: Record<string, unknown>;
}
