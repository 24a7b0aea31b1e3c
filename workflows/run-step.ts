/**
 * One step: its condition, its approval, then its work within its time limit and with its attempts, its outputs; and
 * when it fails what is to be done then.
 */
import { DroverError, isErrorCode, type ErrorRecord } from '../model/errors.js';
import type { PlainStep, Step } from '../model/runbook.js';
import { evaluate, evaluateCondition, type Scope } from '../runbooks/language/expressions.js';
import { approval } from './run-approval.js';
import { runForEach } from './run-for-each.js';
import { runItem } from './run-item.js';
import { runParallel } from './run-parallel.js';
import { whileGoing } from './run-pause.js';
import { runQuery } from './run-query.js';
import { remainder, showRun } from './run-report.js';
import { tryAgain } from './run-retry.js';
import { briefError, countOnly } from './run-rows.js';
import {
  isFirstLanguage,
  outcomeOf,
  recordOf,
  scopeOf,
  type Run,
  type Target,
  type Work,
} from './run-state.js';
import { withTimeout } from './run-timeout.js';
import { seconds } from './run-values.js';
import type { Runtime } from './runtime.js';
import { asDroverError } from './unwind.js';

/** Throws what the run fails with. `more`: what the step sees besides, such as the error. */
export async function runStep(run: Run, step: Step, rt: Runtime, more: Partial<Scope> = {}): Promise<void> {
  const record = recordOf(run, step.id);
  if (takeOver(run, step)) return;
  const scope = { ...scopeOf(run), ...more };
  const work: Work = { run, step, record, scope, rt, underWay: new Set(), results: null };
  try {
    await whileGoing(run, rt);
    if (await attempt(work, step)) showRun(run, rt);
  } catch (cause) {
    await deal(work, step, asDroverError(cause));
  }
}

/** What the run that is tried again has achieved is not done again. */
function takeOver(run: Run, step: Step): boolean {
  const before = run.order.retry?.outcomes[step.id];
  if (before === undefined) return false;
  const { result: _, ...told } = before;
  const state = told.state === 'skipped' ? 'skipped' : 'succeeded';
  Object.assign(recordOf(run, step.id), { ...told, name: nameAgain(run, step), error: null, state });
  run.outcomes[step.id] = before;
  for (const branch of step.parallel ?? []) takeOver(run, branch);
  return true;
}

/** What it was called then; where that speaks of what is not there this time, as it is written. */
function nameAgain(run: Run, step: PlainStep): string {
  const name = step.name ?? step.uses ?? step.id;
  try {
    return String(evaluate(name, scopeOf(run)));
  } catch {
    return name;
  }
}

/** Steps one after the other, which see the error that they are run for. */
export async function runFollowing(
  run: Run,
  steps: readonly PlainStep[],
  error: DroverError | null,
  rt: Runtime,
): Promise<void> {
  const more = error === null ? {} : { error: { code: error.code, message: error.message } };
  for (const step of steps) await runStep(run, step, rt, more);
}

/** False when the step was skipped. */
async function attempt(work: Work, step: Step): Promise<boolean> {
  const { run, record, scope, rt } = work;
  record.name = String(evaluate(step.name ?? step.uses ?? step.id, scope));
  if (step.if !== undefined && !evaluateCondition(step.if, scope)) {
    record.state = 'skipped';
    run.outcomes[step.id] = outcomeOf(record, null);
    return false;
  }
  const targets = step.approve ? await approval(work, step.approve, step.parallel) : null;
  record.state = 'running';
  showRun(run, rt);
  const result = await withTimeout(work, () => doStep(work, step, targets));
  const left = remainder(record);
  const [item] = record.items;
  // What a runbook within this one was refused by people is refused here as well.
  if (left && step['for-each'] === undefined && item?.error?.code === 'Rejected')
    throw new DroverError('Rejected', left, { details: item.error.details, hint: item.error.hint });
  if (left)
    throw new DroverError('RunFailed', left, {
      details: { step: step.id, items: record.items.filter((i) => i.state !== 'done') },
      cause: step['for-each'] === undefined ? item?.error : null,
    });
  if (step.outputs)
    record.outputs = evaluate(step.outputs, { ...seenAfter(work), result }) as Record<string, unknown>;
  record.state = 'succeeded';
  run.outcomes[step.id] = outcomeOf(record, result);
  return true;
}

async function doStep(work: Work, step: Step, targets: Target[] | null): Promise<unknown> {
  const { record, rt, scope, underWay } = work;
  if (step['for-each'] !== undefined) return runForEach(work, targets);
  if (step.wait !== undefined) {
    underWay.add(`wait of ${step.id}`);
    await rt.sleep(seconds(step.wait, scope, `${step.id}: wait`) * 1000, record.name);
    return null;
  }
  if (step.parallel) return runParallel(work, step.parallel, runStep);
  if (step.uses?.startsWith('query.')) {
    return inAll(work, async () => {
      record.total = 1;
      const result = await runQuery(work);
      record.done = 1;
      return result;
    });
  }
  // Its approval was all that it is for.
  if (step.uses === undefined) return null;
  return single(work);
}

async function single(work: Work): Promise<unknown> {
  const { run, step, record, rt } = work;
  record.total = 1;
  const { item } = await runItem(work, null);
  countOnly(run, record, item);
  if (item.state !== 'done' && rt.cancelled()) throw new DroverError('Cancelled', `${step.id} was cancelled`);
  return item.result;
}

/** The attempts of a step that is tried again as a whole. */
async function inAll(work: Work, once: () => Promise<unknown>): Promise<unknown> {
  const { step, record } = work;
  const ended = await tryAgain(
    work,
    step.id,
    async (number): Promise<{ result: unknown; error: DroverError | null }> => {
      if (step.retry) record.attempt = number;
      Object.assign(record, { done: 0, failed: 0, refused: 0, total: 0 });
      try {
        return { result: await once(), error: null };
      } catch (cause) {
        return { result: null, error: asDroverError(cause) };
      }
    },
    ({ error }) => error?.code ?? null,
  );
  if (ended.error) throw ended.error;
  return ended.result;
}

/** What the outputs of a step see: all that has ended, also within it. */
const seenAfter = ({ run, scope }: Work): Scope => ({ ...scope, steps: { ...scope.steps, ...run.outcomes } });

async function deal(work: Work, step: Step, error: DroverError): Promise<void> {
  const { run, record, rt } = work;
  const { code } = error;
  record.state = code === 'Cancelled' ? 'cancelled' : code === 'Rejected' ? 'rejected' : 'failed';
  const why = isFirstLanguage(run) ? error : causeOf(error);
  record.error = isFirstLanguage(run) ? why.toRecord() : briefError(why.toRecord());
  if (step.outputs)
    record.outputs = Object.fromEntries(Object.keys(step.outputs).map((name) => [name, null]));
  run.outcomes[step.id] = outcomeOf(record, work.results);
  if (code === 'Cancelled') throw error;
  if (code !== 'Rejected' && step['on-failure']) await followFailure(run, step['on-failure'], error, rt);
  if (!step['continue-on-error']) throw error;
  showRun(run, rt);
}

/** What went wrong with the one thing that a step does: RunFailed alone would tell nobody what to do about it. */
function causeOf(error: DroverError): DroverError {
  const cause = error.cause as ErrorRecord | null | undefined;
  if (error.code !== 'RunFailed' || !cause || !isErrorCode(cause.code)) return error;
  return new DroverError(cause.code, cause.message, { details: cause.details, hint: cause.hint });
}

/** What fails while a failure is dealt with is in the record; the failure stays what it was. */
export async function followFailure(
  run: Run,
  steps: readonly PlainStep[],
  error: DroverError,
  rt: Runtime,
): Promise<void> {
  try {
    await runFollowing(run, steps, causeOf(error), rt);
  } catch (cause) {
    if (asDroverError(cause).code === 'Cancelled') throw cause;
  }
}
