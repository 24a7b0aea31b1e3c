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
import { allSteps, type PlainStep } from '../model/runbook.js';
import { evaluate } from '../runbooks/language/expressions.js';
import type { Caller } from './caller.js';

export async function stepsFromRows(
  { inventory }: Caller,
  record: RunRecord,
  operations: readonly OperationRecord[],
  label: (of: OperationRecord) => string,
): Promise<RunStepRecord[]> {
  const planned = record.plan ? allSteps(record.plan.runbook) : [];
  const pending = planned.map((step) => pendingStep(step.id, nameOf(step, record)));
  const steps = putTogether(pending, await listRunItems(inventory, record.id), operations, label);
  const loops = new Set(planned.flatMap((step) => (step['for-each'] === undefined ? [] : [step.id])));
  return steps.map((step) => (loops.has(step.id) ? step : ended(step)));
}

/** What a step does once has ended with its one item. */
function ended(step: RunStepRecord): RunStepRecord {
  const [item] = step.items;
  if (item === undefined || step.total !== 1) return step;
  return { ...step, state: item.state === 'done' ? 'succeeded' : 'failed' };
}

/** As far as it speaks of inputs; what it says of other steps nobody knows here. */
function nameOf({ id, name, uses }: PlainStep, { id: run, inputs, plan }: RunRecord): string {
  const template = name ?? uses ?? id;
  try {
    const declared = plan?.runbook.inputs ?? {};
    return String(evaluate(template, { declared, inputs, steps: {}, run: { id: run } }));
  } catch {
    return template;
  }
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
  const known = new Set<string>();
  for (const { run: _, step, attempt: __, endedAt: ___, ...item } of items) {
    recordItem(at(step, step), item);
    known.add(`${step}/${item.key}`);
  }
  for (const operation of operations) {
    const id = operation.step ?? operation.kind;
    if (known.has(`${id}/${operation.item ?? id}`)) continue;
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
