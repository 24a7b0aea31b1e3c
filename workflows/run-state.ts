/** A run as the interpreter has it in hand. */
import type { Request } from '../model/operation.js';
import { pendingStep, type RunProgress, type RunStepRecord } from '../model/run.js';
import { allSteps, type FrozenRunbook, type PlainStep } from '../model/runbook.js';
import { pendingOutcome, type Scope, type StepOutcome } from '../runbooks/language/expressions.js';
import type { Runtime } from './runtime.js';

export interface RunOrder {
  id: string;
  by: string;
  role: Request['role'];
  plan: FrozenRunbook;
  inputs: Record<string, unknown>;
  /** The run of which it is a part (a sub-runbook), and the step there. */
  parent?: { run: string; step: string } | null;
  /** Another run that it tries again: what was achieved there is taken over, and only those items are worked on. */
  retry?: {
    of: string;
    outcomes: Record<string, StepOutcome>;
    only: Record<string, string[]>;
  } | null;
}

/** What a step with for-each works on. */
export interface Target {
  /** Unique among the items of the step. */
  key: string;
  label: string;
  /** What expressions see as `item`. Left out of long lists: then it is the instance with this id. */
  item?: unknown;
  /** What expressions see as `index`. */
  index: number;
}

/** What the interpreter knows while it runs; `steps` is also what the progress query answers. */
export interface Run {
  order: RunOrder;
  steps: RunStepRecord[];
  outcomes: Record<string, StepOutcome>;
  /** The step of the file that runs, or what is done at the end: what the run is found by. */
  phase: string;
  paused: RunProgress['paused'];
  /** Since when it is paused, and for how long it was before: the time limits of steps stand meanwhile. */
  pausedAt: number | null;
  pausedMs: number;
  /** Somebody asked to cancel it, by an update or through the run of which it is a part. */
  cancel: { by: string; undo: boolean } | null;
  /** Nothing of it can be stopped any more: it takes back, or does what it does at its end. */
  closing: boolean;
  /** Cancels the steps. */
  stop: () => void;
  /** Workflow ids of the child runs under way. */
  children: Set<string>;
  /** Workflow ids of the recoveries that it has begun and that are under way. */
  recoveries: Set<string>;
  /** By step: the items to take back when the run is cancelled. */
  takeBack: Record<string, Target[]>;
  /** How many events its items have cost the history, about. */
  events: number;
  /** Batches so far: each has a workflow id of its own. */
  batches: number;
}

export interface Limits {
  /** So many items at a time. */
  parallel: number;
  /** No further item is started once more have failed. */
  mayFail: number;
}

/** What came of taking items back. */
export interface Undone {
  done: number;
  /** Sentences. */
  notDone: string[];
}

/** One step at work. */
export interface Work {
  run: Run;
  step: PlainStep;
  record: RunStepRecord;
  scope: Scope;
  rt: Runtime;
  /** What runs now, by its label: told when the time is over. */
  underWay: Set<string>;
  /** Of a for-each, what its items answered so far. */
  results: unknown[] | null;
}

export function newRun(order: RunOrder): Run {
  const { language, runbook } = order.plan;
  const steps: PlainStep[] = language === 1 ? runbook.steps : allSteps(runbook);
  return {
    order,
    steps: steps.map((step) => pendingStep(step.id, step.name ?? step.uses ?? step.id)),
    outcomes: {},
    phase: '',
    paused: null,
    pausedAt: null,
    pausedMs: 0,
    cancel: null,
    closing: false,
    stop: () => undefined,
    children: new Set(),
    recoveries: new Set(),
    takeBack: {},
    events: 0,
    batches: 0,
  };
}

/** The first language: items in the record, everything in one workflow, lists in one piece. */
export const isFirstLanguage = (run: Run): boolean => run.order.plan.language === 1;

export function recordOf(run: Run, step: string): RunStepRecord {
  const record = run.steps.find(({ id }) => id === step);
  if (record === undefined) throw new Error(`bug: the run has no step ${step}`);
  return record;
}

/** What expressions see outside of an item. A step that was not reached is seen as pending. */
export function scopeOf(run: Run): Scope {
  const { plan, inputs, id } = run.order;
  const pending = isFirstLanguage(run) ? [] : run.steps.map((step) => [step.id, pendingOutcome]);
  return {
    declared: plan.runbook.inputs,
    inputs,
    steps: { ...Object.fromEntries(pending), ...run.outcomes },
    run: { id },
  };
}

export function outcomeOf(record: RunStepRecord, result: unknown): StepOutcome {
  const { done, failed, refused, total, state, error, outputs } = record;
  const told = error === null ? null : { code: error.code, message: error.message };
  return {
    result,
    done,
    failed,
    refused,
    total,
    state,
    error: told,
    ...(outputs === undefined ? {} : { outputs }),
  };
}
