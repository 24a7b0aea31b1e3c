/**
 * Trying a run again where it had trouble: the same frozen plan with the same inputs, what was achieved taken over,
 * and of a step with trouble only the items that are not done.
 */
import { listRunItems } from '../activities/inventory/run-items.js';
import { getRun, listRuns } from '../activities/inventory/runs.js';
import { runWorkflowId } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { RunItemRecord, RunRecord, RunStepRecord } from '../model/run.js';
import { LANGUAGE_VERSION, type FrozenRunbook, type PlainStep, type Step } from '../model/runbook.js';
import { checkRunbook } from '../runbooks/language/check.js';
import type { StepOutcome } from '../runbooks/language/expressions.js';
import { freeze } from '../runbooks/language/load.js';
import type { RunOrder } from '../workflows/run-state.js';
import type { Caller } from './caller.js';
import { runbookCatalogue } from './catalogue.js';
import { asDroverError } from './failures.js';
import { progressOf } from './progress.js';
import { triedAgain, type PreparedRun } from './runs.js';

export interface PreparedRetry extends PreparedRun {
  retry: NonNullable<RunOrder['retry']>;
  steps: RetryStep[];
}

/** What the new run does with a step: takes it over, works on these items only, or runs all of it. */
export interface RetryStep {
  id: string;
  name: string;
  does: 'kept' | 'items' | 'all';
  items: Pick<RunItemRecord, 'key' | 'label' | 'state' | 'error'>[];
}

/** Throws WrongState with the reason where the run can't be tried again. */
export async function prepareRetry(caller: Caller, id: string): Promise<PreparedRetry> {
  const { inventory } = caller;
  const run = await getRun(inventory, id);
  await refuse(caller, run);
  const plan = planOf(run);
  const rows = await listRunItems(inventory, id);
  const recorded = new Map(run.steps.map((step) => [step.id, step]));
  const retry: PreparedRetry['retry'] = { of: id, outcomes: {}, only: {} };
  const steps = mainSteps(plan).map((step): RetryStep => {
    const record = recorded.get(step.id);
    const ended = rows.filter((row) => row.step === step.id);
    // Runs of the first language have their items in the record.
    const items: RunItemRecord[] = ended.length > 0 ? ended : (record?.items ?? []);
    const of = { id: step.id, name: record?.name ?? step.name ?? step.id };
    if (record && isAchieved(record) && !wasTakenBack(step, run)) {
      retry.outcomes[step.id] = outcomeOf(step, record, items);
      return { ...of, does: 'kept', items: [] };
    }
    const left = items.filter(({ state }) => state !== 'done');
    if (step['for-each'] === undefined || left.length === 0 || wasTakenBack(step, run)) {
      return { ...of, does: 'all', items: [] };
    }
    retry.only[step.id] = left.map(({ key }) => key);
    return { ...of, does: 'items', items: left };
  });
  return { plan, inputs: run.inputs, retry, steps };
}

/** The steps whose ends make the run's; those of on-failure and finally belong to each run anew. */
const mainSteps = ({ runbook }: FrozenRunbook): (Step | PlainStep)[] =>
  runbook.steps.flatMap((step: Step) => step.parallel ?? [step]);

const isAchieved = ({ state }: RunStepRecord): boolean => state === 'succeeded' || state === 'skipped';

/** What a cancel took back must be done again. */
const wasTakenBack = ({ undo }: Step | PlainStep, { undone }: RunRecord): boolean =>
  undo !== undefined && undone.some((said) => said.startsWith(`${undo.uses} `));

function outcomeOf(
  step: Step | PlainStep,
  { state, done, failed, refused, total, outputs }: RunStepRecord,
  items: readonly RunItemRecord[],
): StepOutcome {
  const results = items.map(({ result }) => result);
  const result = step['for-each'] === undefined ? (results[0] ?? null) : results;
  return { result, state, done, failed, refused, total, ...(outputs === undefined ? {} : { outputs }) };
}

async function refuse(caller: Caller, run: RunRecord): Promise<void> {
  const { id, state, runbook, parent } = run;
  if (parent) {
    const top = await topOf(caller, run);
    const message = `run ${id} is step ${parent.step} of run ${parent.run}: only the whole is tried again`;
    throw new DroverError('WrongState', message, { hint: `\`drover run retry ${top}\`` });
  }
  if (state === 'running') {
    if (!(await runsStill(caller, id))) throw terminated(run);
    throw new DroverError('WrongState', `run ${id} has not ended: there is nothing to try again`, {
      hint: `follow it with \`drover run watch ${id}\`, or cancel it with \`drover run cancel ${id}\``,
    });
  }
  if (state === 'succeeded') {
    throw new DroverError('WrongState', `run ${id} succeeded: there is nothing to try again`, {
      hint: `run it anew with \`drover runbook run ${runbook}${given(run)}\``,
    });
  }
  const [again] = await listRuns(caller.inventory, { retryOf: id, limit: 1 });
  if (again) throw triedAgain(id, again);
}

async function runsStill(caller: Caller, id: string): Promise<boolean> {
  const temporal = await caller.temporal();
  try {
    return (await progressOf(temporal, runWorkflowId(caller.cloud, id))).running;
  } catch (error) {
    const told = asDroverError(error, `run ${id}`);
    if (told.code !== 'NotFound') throw told;
    return false;
  }
}

const terminated = (run: RunRecord): DroverError =>
  new DroverError(
    'WrongState',
    `the workflow of run ${run.id} was ended from outside, so nobody wrote down what it left`,
    {
      hint:
        `see \`drover run show ${run.id}\` for what it had done, then run it anew: ` +
        `\`drover runbook run ${run.runbook}${given(run)}\``,
    },
  );

async function topOf(caller: Caller, run: RunRecord): Promise<string> {
  return run.parent ? topOf(caller, await getRun(caller.inventory, run.parent.run)) : run.id;
}

export const given = ({ inputs }: Pick<RunRecord, 'inputs'>): string =>
  Object.entries(inputs)
    .map(([name, value]) => ` --input ${name}=${String(value)}`)
    .join('');

/** Older records hold the text alone, and their runbooks used no others. */
function planOf(run: RunRecord): FrozenRunbook {
  if (run.plan?.language === LANGUAGE_VERSION) return run.plan;
  const { runbook } = checkRunbook(run.source, run.runbook, runbookCatalogue());
  if (runbook) return freeze(run.source, runbook);
  throw new DroverError(
    'Unsupported',
    `run ${run.id} ran a runbook of an older drover, which this one does not understand any more`,
    { hint: `run it anew with \`drover runbook run ${run.runbook}${given(run)}\`` },
  );
}
