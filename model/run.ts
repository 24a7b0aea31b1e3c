/** The record of a run: what outlives Temporal's history of it. */
import type { ErrorRecord } from './errors.js';

export interface RunStart {
  id: string;
  runbook: string;
  digest: string;
  source: string;
  inputs: Record<string, unknown>;
  by: string;
}
export interface RunStepRecord {
  id: string;
  name: string;
  state: 'pending' | 'running' | 'succeeded' | 'failed' | 'skipped' | 'cancelled';
  done: number;
  failed: number;
  refused: number;
  total: number;
  error: ErrorRecord | null;
  items: RunItemRecord[];
}
export interface RunItemRecord {
  key: string;
  label: string;
  state: 'done' | 'failed' | 'refused' | 'cancelled' | 'not-started';
  error: ErrorRecord | null;
  result: Record<string, unknown> | null;
}
export interface RunFinish {
  id: string;
  state: 'succeeded' | 'failed' | 'cancelled';
  steps: RunStepRecord[];
  undone: string[];
  outputs: Record<string, unknown>;
  error: ErrorRecord | null;
}

/** The record of a run of a runbook: what was run (frozen), by whom, and what came of it. */
export interface RunRecord extends RunStart {
  state: 'running' | 'succeeded' | 'failed' | 'cancelled';
  steps: RunStepRecord[];
  undone: string[];
  outputs: Record<string, unknown>;
  error: ErrorRecord | null;
  startedAt: string;
  endedAt: string | null;
}
