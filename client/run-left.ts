/** What a run left to do, step by step. Pure: the records in, the order's part for a retry out. */
import type { RunItemRecord, RunItemRow, RunRecord, RunStepRecord } from '../model/run.js';
import type { FrozenRunbook, PlainStep, Step } from '../model/runbook.js';
import type { StepOutcome } from '../runbooks/language/expressions.js';
import type { RunOrder } from '../workflows/run-state.js';

/** What a retry does with a step: takes it over, works on these items only, or runs all of it. */
export interface RetryStep {
  id: string;
  name: string;
  does: 'kept' | 'items' | 'all';
  items: Pick<RunItemRecord, 'key' | 'label' | 'state' | 'error'>[];
}

export interface Left {
  retry: NonNullable<RunOrder['retry']>;
  steps: RetryStep[];
}

/** `rows`: the items of the run; `earlier`: of the runs that it tried again, from which it took steps over. */
export function leftOf(
  { runbook }: FrozenRunbook,
  run: RunRecord,
  rows: readonly RunItemRow[],
  earlier: readonly RunItemRow[],
): Left {
  const recorded = new Map(run.steps.map((step) => [step.id, step]));
  const retry: Left['retry'] = { of: run.id, outcomes: {}, only: {} };
  const isKept = (step: Step | PlainStep): boolean => {
    const record = recorded.get(step.id);
    const within = 'parallel' in step ? (step.parallel ?? []) : [];
    return record !== undefined && isAchieved(record) && !isAskedAnew(step, run) && within.every(isKept);
  };
  const plan = (step: Step | PlainStep): RetryStep => {
    const record = recorded.get(step.id);
    const of = { id: step.id, name: record?.name ?? step.name ?? step.id };
    const ended = rows.filter((row) => row.step === step.id);
    if (record && isKept(step)) {
      const before = earlier.filter((row) => row.step === step.id);
      retry.outcomes[step.id] = outcomeOf(step, record, newest([...before, ...ended]));
      return { ...of, does: 'kept', items: [] };
    }
    // Runs of the first language have all their items in the record.
    const items: RunItemRecord[] = ended.length > 0 ? ended : (record?.items ?? []);
    if (step['for-each'] === undefined || items.length === 0 || wasTakenBack(step, run)) {
      return { ...of, does: 'all', items: [] };
    }
    const left = items.filter(({ state }) => state !== 'done');
    retry.only[step.id] = left.map(({ key }) => key);
    return { ...of, does: 'items', items: left };
  };
  // Those of on-failure and finally belong to each run anew.
  const steps = runbook.steps.flatMap((step) => [plan(step), ...(step.parallel ?? []).map(plan)]);
  const groups = new Set(runbook.steps.filter(({ parallel }) => parallel).map(({ id }) => id));
  return { retry, steps: steps.filter(({ id }) => !groups.has(id)) };
}

const isAchieved = ({ state }: RunStepRecord): boolean => state === 'succeeded' || state === 'skipped';

/** A query changes nothing and its answer was not kept; what a cancel took back must be done again. */
const isAskedAnew = (step: Step | PlainStep, run: RunRecord): boolean =>
  step.uses?.startsWith('query.') === true || wasTakenBack(step, run);

const wasTakenBack = ({ undo }: Step | PlainStep, { undone }: RunRecord): boolean =>
  undo !== undefined && undone.some((said) => said.startsWith(`${undo.uses} `) && said.endsWith(': done'));

/** One row for each item: a later run's stands. */
const newest = (rows: readonly RunItemRow[]): RunItemRow[] => [
  ...new Map(rows.map((row) => [row.key, row])).values(),
];

/** Lists of results are for expressions: the interpreter has none longer than this. */
const longestResult = 250;

function outcomeOf(
  step: Step | PlainStep,
  { state, done, failed, refused, total, outputs, items }: RunStepRecord,
  rows: readonly RunItemRecord[],
): StepOutcome {
  const results = (rows.length > 0 ? rows : items).map(({ result }) => result);
  const list = results.length > longestResult ? [] : results;
  const result = step['for-each'] === undefined ? (results[0] ?? null) : list;
  return { result, state, done, failed, refused, total, ...(outputs === undefined ? {} : { outputs }) };
}
