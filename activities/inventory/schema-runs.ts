/** The tables of runs, with their items, actions and concurrency keys. */
import type { RunAction, RunItemRecord } from '../../model/run.js';

export interface RunsTable {
  id: string;
  runbook: string;
  digest: string;
  source: string;
  inputs: string;
  requested_by: string;
  state: 'running' | 'succeeded' | 'failed' | 'cancelled' | 'rejected';
  steps: string;
  undone: string;
  outputs: string;
  error: string | null;
  /** The run of which it is a part, and the step there. */
  parent_run: string | null;
  parent_step: string | null;
  /** The run whose failed items it tries again. */
  retry_of: string | null;
  /** The frozen runbook with those that it uses; null in rows of the first language. */
  plan: string | null;
  started_at: string;
  ended_at: string | null;
}

export interface RunItemsTable {
  run: string;
  step: string;
  /** The item's key. */
  item: string;
  label: string;
  state: RunItemRecord['state'];
  error: string | null;
  result: string | null;
  attempt: number;
  ended_at: string;
}

export interface RunActionsTable {
  id: string;
  run: string;
  at: string;
  by: string;
  action: RunAction;
  step: string | null;
  comment: string | null;
  details: string;
}

/** Who has a concurrency key, and in which workflow. */
export interface RunConcurrencyTable {
  key: string;
  run: string;
  workflow_id: string | null;
  taken_at: string;
}
