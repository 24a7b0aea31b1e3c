/** One item of a step, or the whole of a step without for-each, as one operation or one run of another runbook. */
import type { RunItemRecord } from '../model/run.js';
import { parseDuration } from '../model/duration.js';
import { errorTable } from '../model/error-table.js';
import { DroverError } from '../model/errors.js';
import { evaluate, type Scope } from '../runbooks/language/expressions.js';
import { operations } from './catalogue.js';
import { runSubRunbook } from './run-child.js';
import { tryAgain } from './run-retry.js';
import { isFirstLanguage, type Target, type Work } from './run-state.js';
import { asText, isItem, nameOf } from './run-values.js';
import type { Runtime } from './runtime.js';
import { asDroverError } from './unwind.js';

/** Seconds to wait for an instance on which somebody else works, where the step's input has no `wait`. */
const busyLimit = 600;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An input larger than this would be refused by Temporal, again and again. */
const largestInput = 1_000_000;

export interface Attempted {
  item: RunItemRecord;
  attempt: number;
}

/** With the attempts of the step's `retry`. It never throws for what it did to the item. */
export async function runItem(work: Work, target: Target | null): Promise<Attempted> {
  let last = 1;
  const about = target?.label ?? work.step.id;
  const attempt = (number: number): Promise<RunItemRecord> => {
    last = number;
    if (target === null && work.step.retry) work.record.attempt = number;
    return runOnce(work, target);
  };
  const item = await tryAgain(work, about, attempt, ({ error }) => error?.code ?? null);
  return { item, attempt: last };
}

/** One attempt. */
export async function runOnce(work: Work, target: Target | null): Promise<RunItemRecord> {
  const { step, run, underWay } = work;
  const { uses = '' } = step;
  const scope = scopeOfTarget(work.scope, target);
  const about = target ? { key: target.key, label: target.label } : { key: step.id, label: step.id };
  try {
    // An expression that fails for this item must not leave the others, which run, behind.
    const input = evaluate(step.with ?? {}, scope) as Record<string, unknown>;
    if (!isFirstLanguage(run)) checkSize(input);
    if (target === null) about.label = nameOf(input['host'] ?? input['instance'] ?? step.id);
    underWay.add(about.label);
    const result = uses.startsWith('runbook.')
      ? await runSubRunbook(work, uses.slice('runbook.'.length), input, about.label)
      : await runOperation(work, uses, input, about, target?.item);
    return { ...about, state: 'done', error: null, result };
  } catch (cause) {
    const error = asDroverError(cause);
    const refused = errorTable[error.code].exit === 3;
    const state = error.code === 'Cancelled' ? 'cancelled' : refused ? 'refused' : 'failed';
    return { ...about, state, error: error.toRecord(), result: null };
  } finally {
    underWay.delete(about.label);
  }
}

export const scopeOfTarget = (scope: Scope, target: Target | null): Scope =>
  target === null ? scope : { ...scope, item: target.item, index: target.index };

async function runOperation(
  { run, step, rt }: Work,
  uses: string,
  input: Record<string, unknown>,
  { key, label }: { key: string; label: string },
  item: unknown,
): Promise<Record<string, unknown> | null> {
  const { plan, by, role, id } = run.order;
  const operation = operations.get(uses);
  if (!operation) throw new DroverError('InvalidRunbook', `no operation is called ${uses}`);
  const subject = operation.target === 'host' ? String(input['host']) : await subjectOf(input, rt);
  const joins = operation.target === 'host' && operation.joins === true;
  const free = joins ? joining : whenFree;
  const workflowId = rt.subjectId(uses, subject);
  if (joins) run.recoveries.add(workflowId);
  return free(uses, subject, waitOf(input), rt, () =>
    rt.child({
      operation: uses,
      subject,
      label,
      runbook: plan.name,
      host: isItem(item) && typeof item['host'] === 'string' ? item['host'] : null,
      input: operation.target === 'host' ? input : { ...input, instance: subject },
      request: { id: rt.id(), by, role, run: { id, step: step.id, item: key } },
    }),
  ).finally(() => run.recoveries.delete(workflowId));
}

/** Tries, and while another operation holds the subject waits for that one, at most `seconds` in all. */
async function whenFree<T>(
  operation: string,
  subject: string,
  seconds: number,
  rt: Runtime,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = rt.now() + seconds * 1000;
  for (;;) {
    try {
      return await work();
    } catch (cause) {
      const error = asDroverError(cause);
      if (error.code !== 'InstanceBusy' && error.code !== 'HostBusy') throw error;
      // Most often it is the one with the subject's own id; the refusal names any other.
      const workflowId = asText(error.details['workflowId']) ?? rt.subjectId(operation, subject);
      const left = Math.max(0, Math.round((deadline - rt.now()) / 1000));
      const { free, holder } = await rt.activity('waitForWorkflow', { workflowId, seconds: left });
      if (free) continue;
      throw new DroverError(
        error.code,
        `busy with ${holder ?? 'another operation'} for more than ${seconds} s`,
        { details: { holder, workflowId } },
      );
    }
  }
}

/** Tries, and while one of the kind is open on the host waits for that one: its answer is the answer. */
async function joining(
  operation: string,
  subject: string,
  _seconds: number,
  rt: Runtime,
  work: () => Promise<Record<string, unknown> | null>,
): Promise<Record<string, unknown> | null> {
  for (;;) {
    try {
      return await work();
    } catch (cause) {
      const error = asDroverError(cause);
      if (error.code !== 'HostBusy') throw error;
      const workflowId = rt.subjectId(operation, subject);
      await rt.activity('waitForWorkflow', { workflowId, seconds: longestJoin });
      const kind = operation.replace('host.', '');
      const ended = await rt.activity('endOfHostOperation', { host: subject, kind });
      if (ended.error) {
        const { code, message, details, hint } = ended.error;
        throw new DroverError(code, message, { details, hint });
      }
      // One that was ended from outside has no answer: this one takes its place.
      if (ended.result) return ended.result;
    }
  }
}

const longestJoin = 30 * 86_400;

async function subjectOf(input: Record<string, unknown>, rt: Runtime): Promise<string> {
  const given = String(input['instance']);
  return uuid.test(given) ? given : (await rt.activity('getInstance', { instance: given })).id;
}

const waitOf = (input: Record<string, unknown>): number =>
  typeof input['wait'] === 'string' ? (parseDuration(input['wait']) ?? busyLimit) : busyLimit;

function checkSize(input: Record<string, unknown>): void {
  const size = JSON.stringify(input).length;
  if (size <= largestInput) return;
  throw new DroverError(
    'InvalidRunbook',
    `with: its values have ${size} characters, ${largestInput} at most`,
  );
}
