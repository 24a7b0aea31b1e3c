/** A run as the interpreter has it in hand. */
import type { Request } from '../model/operation.js';
import { pendingStep, type RunStepRecord } from '../model/run.js';
import type { FrozenRunbook } from '../model/runbook.js';
import type { Scope, StepOutcome } from '../runbooks/language/expressions.js';

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

/** What the interpreter knows while it runs; `steps` is also what the progress query answers. */
export interface Run {
  order: RunOrder;
  steps: RunStepRecord[];
  outcomes: Record<string, StepOutcome>;
}

export const newRun = (order: RunOrder): Run => ({
  order,
  outcomes: {},
  steps: order.plan.runbook.steps.map((step) => pendingStep(step.id, step.name ?? step.uses ?? step.id)),
});

/** What expressions see outside of an item. */
export function scopeOf(run: Run): Scope {
  return {
    declared: run.order.plan.runbook.inputs,
    inputs: run.order.inputs,
    steps: run.outcomes,
    run: { id: run.order.id },
  };
}

export function outcomeOf(record: RunStepRecord, result: unknown): StepOutcome {
  const { done, failed, refused, total, state } = record;
  return { result, done, failed, refused, total, state };
}
