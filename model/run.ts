/** The record of a run: what outlives Temporal's history of it. */
import type { ErrorRecord } from './errors.js';
import type { Request } from './operation.js';
import type { FrozenRunbook } from './runbook.js';

export interface RunStart {
  id: string;
  runbook: string;
  digest: string;
  source: string;
  inputs: Record<string, unknown>;
  by: string;
  /** The run of which it is a part, and the step there; null for one that somebody started. */
  parent?: { run: string; step: string } | null;
  /** The run whose failed items it tries again. */
  retryOf?: string | null;
  /** All that it runs, sub-runbooks included: a retry takes this, not the files of its day. Null in older records. */
  plan?: FrozenRunbook | null;
}

export type RunStepState =
  | 'pending'
  | 'waiting' // for an approval
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'rejected'
  | 'skipped'
  | 'cancelled';

/** A step as it stands, and at its end. */
export interface RunStepRecord {
  /** Unique in the run, also within `parallel`, `on-failure` and `finally`. */
  id: string;
  name: string;
  state: RunStepState;
  done: number;
  failed: number;
  refused: number;
  total: number;
  error: ErrorRecord | null;
  /**
   * Language 1: all items. Language 2: the first 100 that are not done, and of a step without for-each its one; all
   * others are rows.
   */
  items: RunItemRecord[];
  /** Attempts so far, where the step has `retry`; 1 is the first. */
  attempt?: number;
  approval?: ApprovalRecord | null;
  outputs?: Record<string, unknown>;
}

export interface RunItemRecord {
  key: string;
  label: string;
  state: 'done' | 'failed' | 'refused' | 'cancelled' | 'not-started';
  error: ErrorRecord | null;
  result: Record<string, unknown> | null;
}

/** An item as a row of its own: a later attempt takes the place of an earlier one. */
export interface RunItemRow extends RunItemRecord {
  run: string;
  step: string;
  attempt: number;
  endedAt: string;
}

/** What a step waits for. Times are RFC 3339 in UTC. */
export interface ApprovalRecord {
  state: 'waiting' | 'approved' | 'rejected' | 'expired' | 'cancelled';
  /** How many different persons must approve. */
  needed: number;
  /** Names, or `role:admin`; empty for every operator and administrator. */
  from: string[];
  until: string;
  message: string;
  /** What it will work on, resolved: the first 100 as labels, and how many in all. */
  targets: string[];
  targetCount: number;
  approvals: { by: string; at: string; comment: string | null }[];
  rejection: { by: string; at: string; comment: string | null } | null;
}

/** What a run answers of itself; runs of the first language answer their steps alone. */
export type ProgressAnswer = RunProgress | RunStepRecord[];

export const progressIn = (answer: ProgressAnswer): RunProgress =>
  Array.isArray(answer) ? { steps: answer, paused: null } : answer;

/** A step that waits for people. */
export interface Wait {
  run: string;
  step: string;
  name: string;
  approval: ApprovalRecord;
}

export const waitsOf = (run: string, steps: readonly RunStepRecord[]): Wait[] =>
  steps.flatMap(({ id, name, state, approval }) =>
    state === 'waiting' && approval ? [{ run, step: id, name, approval }] : [],
  );

export const runActions = ['start', 'approve', 'reject', 'pause', 'resume', 'cancel', 'retry'] as const;
export type RunAction = (typeof runActions)[number];

/**
 * What people may ask of a run that runs: the arguments of its Temporal updates, which are named as the actions.
 * A validator refuses what can't be (nothing waits, not among those asked, voted already), so that nothing is
 * accepted and then ignored; each that is accepted is a `RunActionRecord`. The answer is a sentence.
 */
export interface RunAsk {
  by: string;
  role: Request['role'];
  comment: string | null;
}
/** approve, reject. `step` null: the one step that waits; with several it must be named. */
export interface DecisionAsk extends RunAsk {
  step: string | null;
}
/** cancel. `undo`: take back what the runbook says, as a cancel from the Temporal UI does. */
export interface CancelAsk extends RunAsk {
  undo: boolean;
}
export interface RunAnswerToAsk {
  said: string;
}

/** Who did what to a run, and when. */
export interface RunActionRecord {
  run: string;
  at: string;
  by: string;
  action: RunAction;
  step: string | null;
  comment: string | null;
  details: Record<string, unknown>;
}

export interface RunFinish {
  id: string;
  state: 'succeeded' | 'failed' | 'cancelled' | 'rejected';
  steps: RunStepRecord[];
  undone: string[];
  outputs: Record<string, unknown>;
  error: ErrorRecord | null;
}

/** The record of a run of a runbook: what was run (frozen), by whom, and what came of it. */
export interface RunRecord extends RunStart {
  state: 'running' | RunFinish['state'];
  steps: RunStepRecord[];
  undone: string[];
  outputs: Record<string, unknown>;
  error: ErrorRecord | null;
  startedAt: string;
  endedAt: string | null;
}

/** What a run that runs answers to the `progress` query. */
export interface RunProgress {
  steps: RunStepRecord[];
  paused: { by: string; at: string; reason: string | null } | null;
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
