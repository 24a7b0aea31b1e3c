/**
 * Trying a run again where it had trouble: the same frozen plan with the same inputs, what was achieved taken over,
 * and of a step with trouble only the items that are not done.
 */
import { listRunItems } from '../activities/inventory/run-items.js';
import { getRun, listRuns } from '../activities/inventory/runs.js';
import { runWorkflowId } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { RunItemRow, RunRecord } from '../model/run.js';
import { LANGUAGE_VERSION, type FrozenRunbook } from '../model/runbook.js';
import { checkRunbook } from '../runbooks/language/check.js';
import { freeze } from '../runbooks/language/load.js';
import type { Caller } from './caller.js';
import { runbookCatalogue } from './catalogue.js';
import { asDroverError } from './failures.js';
import { progressOf } from './progress.js';
import { leftOf, type Left } from './run-left.js';
import { triedAgain, type PreparedRun } from './runs.js';

export type PreparedRetry = PreparedRun & Left;

/** Throws WrongState with the reason where the run can't be tried again. */
export async function prepareRetry(caller: Caller, id: string): Promise<PreparedRetry> {
  const run = await getRun(caller.inventory, id);
  await refuse(caller, run);
  const plan = planOf(run);
  const [rows, earlier] = [await listRunItems(caller.inventory, id), await itemsBefore(caller, run)];
  return { plan, inputs: run.inputs, ...leftOf(plan, run, rows, earlier) };
}

/** Items of the runs that it tried again, the oldest first. */
async function itemsBefore(caller: Caller, { retryOf }: RunRecord): Promise<RunItemRow[]> {
  if (!retryOf) return [];
  const before = await getRun(caller.inventory, retryOf);
  return [...(await itemsBefore(caller, before)), ...(await listRunItems(caller.inventory, retryOf))];
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
