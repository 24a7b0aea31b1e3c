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

/** A step of which nothing has been done yet. */
export const pendingStep = (id: string, name: string): RunStepRecord => ({
  id,
  name,
  state: 'pending',
  done: 0,
  failed: 0,
  refused: 0,
  total: 0,
  error: null,
  items: [],
});

/** Writes down how an item ended, and counts it. */
export function recordItem(step: RunStepRecord, item: RunItemRecord): void {
  step.items.push(item);
  if (item.state === 'done') step.done += 1;
  else if (item.state === 'refused') step.refused += 1;
  else step.failed += 1;
}
