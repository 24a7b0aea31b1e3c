/** The tables of recoveries; stored as `schema.ts` says. */
import type { IncidentState, RecoveryMode } from '../../model/incident.js';

/** How a guest was defined when it was seen last, in the hypervisor's own words: all that is left of it when its host is lost. */
export interface DefinitionsTable {
  instance: string;
  definition: string;
  host: string;
  seen_at: string;
}

/** One per host since its last readmission. JSON of `Verdict`, `Evidence`, `Recovered[]`, `ErrorRecord`. */
export interface IncidentsTable {
  id: string;
  host: string;
  /** The failure domain: the zone, or '' where the host has none. */
  domain: string;
  state: IncidentState;
  by: string;
  reason: string;
  workflow_id: string;
  verdict: string | null;
  evidence: string | null;
  instances: string;
  waits_for: string | null;
  error: string | null;
  /** When it took a fence out of the budget. */
  fence_taken_at: string | null;
  opened_at: string;
  ended_at: string | null;
  readmitted_at: string | null;
}

export interface IncidentEventsTable {
  id: string;
  incident: string;
  seq: number;
  at: string;
  phase: string;
  says: string;
  details: string;
}

/** A row for each turn; the newest that is not over holds. `zone` '' is the fleet. */
export interface RecoverySwitchesTable {
  seq: number;
  zone: string;
  mode: RecoveryMode;
  reason: string;
  by: string;
  at: string;
  until: string | null;
}
