/** The steps of a run as far as rows tell: for when no worker can be asked. */
import { listRunItems } from '../activities/inventory/run-items.js';
import type { OperationRecord } from '../model/operation.js';
import {
  pendingStep,
  recordItem,
  type RunItemRecord,
  type RunItemRow,
  type RunRecord,
  type RunStepRecord,
} from '../model/run.js';
import { allSteps } from '../model/runbook.js';
import type { Caller } from './caller.js';

export async function stepsFromRows(
  { inventory }: Caller,
  { id, plan }: RunRecord,
  operations: readonly OperationRecord[],
  label: (of: OperationRecord) => string,
): Promise<RunStepRecord[]> {
  const planned = plan
    ? allSteps(plan.runbook).map(({ id: step, name, uses }) => pendingStep(step, name ?? uses ?? step))
    : [];
  return putTogether(planned, await listRunItems(inventory, id), operations, label);
}

/** Items that have ended are rows; what runs, and the items of older runs, are known by their operations. */
export function putTogether(
  planned: readonly RunStepRecord[],
  items: readonly RunItemRow[],
  operations: readonly OperationRecord[],
  label: (of: OperationRecord) => string,
): RunStepRecord[] {
  const steps = new Map(planned.map((step) => [step.id, step]));
  const at = (id: string, name: string): RunStepRecord => {
    const step = steps.get(id) ?? pendingStep(id, name);
    if (step.state === 'pending') step.state = 'running';
    steps.set(id, step);
    step.total += 1;
    return step;
  };
  const ended = new Set<string>();
  for (const { run: _, step, attempt: __, endedAt: ___, ...item } of items) {
    recordItem(at(step, step), item);
    ended.add(`${step}/${item.key}`);
  }
  for (const operation of operations) {
    const id = operation.step ?? operation.kind;
    if (ended.has(`${id}/${operation.item ?? id}`)) continue;
    const step = at(id, operation.kind);
    if (operation.endedAt !== null) recordItem(step, itemOf(operation, label(operation)));
  }
  return [...steps.values()];
}

const itemOf = ({ id, item, state, error, result }: OperationRecord, label: string): RunItemRecord => ({
  key: item ?? id,
  label,
  state: itemState(state),
  error,
  result,
});

const itemState = (state: OperationRecord['state']): RunItemRecord['state'] =>
  state === 'succeeded' ? 'done' : state === 'running' || state === 'unwinding' ? 'failed' : state;
