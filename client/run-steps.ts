import { pendingStep, recordItem, type RunItemRecord, type RunStepRecord } from '../model/run.js';
import type { OperationRecord } from '../model/operation.js';

/** The steps of a run as far as the records of its operations tell: for when no worker can be asked. */
export function stepsFromOperations(
  operations: readonly OperationRecord[],
  label: (of: OperationRecord) => string,
): RunStepRecord[] {
  const steps = new Map<string, RunStepRecord>();
  for (const operation of operations) {
    const id = operation.step ?? operation.kind;
    const step = steps.get(id) ?? pendingStep(id, operation.kind);
    steps.set(id, step);
    step.total += 1;
    if (operation.endedAt === null) step.state = 'running';
    else add(step, operation, label(operation));
  }
  return [...steps.values()];
}

function add(step: RunStepRecord, operation: OperationRecord, label: string): void {
  const state = itemState(operation.state);
  const { error, result } = operation;
  recordItem(step, { key: operation.item ?? operation.id, label, state, error, result });
  if (step.state === 'pending') step.state = 'running';
}

const itemState = (state: OperationRecord['state']): RunItemRecord['state'] =>
  state === 'succeeded' ? 'done' : state === 'running' || state === 'unwinding' ? 'failed' : state;
