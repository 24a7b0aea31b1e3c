import type { RunItemRecord, RunStepRecord } from '../model/run.js';
import type { OperationRecord } from '../model/operation.js';

/** The steps of a run as far as the records of its operations tell: for when no worker can be asked. */
export function stepsFromOperations(
  operations: readonly OperationRecord[],
  label: (of: OperationRecord) => string,
): RunStepRecord[] {
  const steps = new Map<string, RunStepRecord>();
  for (const operation of operations) {
    const id = operation.step ?? operation.kind;
    const step = steps.get(id) ?? emptyStep(id, operation.kind);
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
  step.items.push({ key: operation.item ?? operation.id, label, state, error, result });
  if (state === 'done') step.done += 1;
  else if (state === 'refused') step.refused += 1;
  else step.failed += 1;
  if (step.state === 'pending') step.state = 'running';
}

const itemState = (state: OperationRecord['state']): RunItemRecord['state'] =>
  state === 'succeeded' ? 'done' : state === 'running' || state === 'unwinding' ? 'failed' : state;

const emptyStep = (id: string, name: string): RunStepRecord => ({
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
