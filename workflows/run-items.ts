import { recordItem, type RunItemRecord, type RunStepRecord } from '../model/run.js';
import { DroverError, errorTable } from '../model/errors.js';
import { parseDuration } from '../model/duration.js';
import type { Step } from '../model/runbook.js';
import { evaluate, type Scope } from '../runbooks/language/expressions.js';
import { operations, queries } from './catalogue.js';
import { pool } from './pool.js';
import type { Run } from './run-state.js';
import type { Runtime } from './runtime.js';
import { asDroverError } from './unwind.js';

type Item = Record<string, unknown>;

/** Seconds to wait for an instance on which somebody else works, where the step's input has no `wait`. */
const busyLimit = 600;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * A step with for-each. A query is asked again after each round, so that what arrives meanwhile is worked on
 * too; it ends when it is empty or when nothing is listed that was not tried.
 */
export async function runItems(
  run: Run,
  step: Step,
  record: RunStepRecord,
  scope: Scope,
  rt: Runtime,
  show: () => void,
): Promise<unknown[]> {
  const parallel = Number(evaluate(step['max-parallel'] ?? 1, scope));
  const allowed = Number(evaluate(step['max-failures'] ?? 0, scope));
  const tried = new Set<string>();
  const results: unknown[] = [];
  const more = () => record.failed <= allowed && !rt.cancelled();
  for (;;) {
    const fresh = (await list(step, scope, rt)).filter((item) => !tried.has(keyOf(item)));
    if (fresh.length === 0) return results;
    record.total += fresh.length;
    for (const item of fresh) tried.add(keyOf(item));
    const { notStarted } = await pool(fresh, parallel, more, async (item) => {
      const index = results.length;
      results.push(null);
      const done = await runItem(run, step, { ...scope, item, index }, item, rt);
      results[index] = done.result;
      recordItem(record, done);
      show();
    });
    for (const item of notStarted) {
      record.items.push({
        key: keyOf(item),
        label: nameOf(item),
        state: 'not-started',
        error: null,
        result: null,
      });
    }
    if (rt.cancelled()) throw new DroverError('Cancelled', `${step.id} was cancelled`);
    if (notStarted.length > 0 || !isQuery(step)) return results;
  }
}

/** One item (or the whole of a step without for-each) as one operation; it never throws for what it did to the item. */
export async function runItem(
  run: Run,
  step: Step,
  scope: Scope,
  item: unknown,
  rt: Runtime,
): Promise<RunItemRecord> {
  const operation = operations.get(step.uses);
  const about = { key: item === null ? step.id : keyOf(item), label: nameOf(item ?? step.id) };
  try {
    // An expression that fails for this item must not leave the others, which run, behind.
    const input = evaluate(step.with ?? {}, scope) as Item;
    if (item === null) about.label = nameOf(input['host'] ?? input['instance'] ?? step.id);
    if (!operation) throw new DroverError('InvalidRunbook', `no operation is called ${step.uses}`);
    const subject = operation.target === 'host' ? String(input['host']) : await subjectOf(input, rt);
    const result = await whenFree(step.uses, subject, waitOf(input), rt, () =>
      rt.child({
        operation: step.uses,
        subject,
        label: about.label,
        runbook: run.order.plan.name,
        host: isItem(item) && typeof item['host'] === 'string' ? item['host'] : null,
        input: operation.target === 'host' ? input : { ...input, instance: subject },
        request: {
          id: rt.id(),
          by: run.order.by,
          role: run.order.role,
          run: { id: run.order.id, step: step.id, item: about.key },
        },
      }),
    );
    return { ...about, state: 'done', error: null, result };
  } catch (cause) {
    const error = asDroverError(cause);
    const refused = errorTable[error.code].exit === 3;
    const state = error.code === 'Cancelled' ? 'cancelled' : refused ? 'refused' : 'failed';
    return { ...about, state, error: error.toRecord(), result: null };
  }
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
      const workflowId = text(error.details['workflowId']) ?? rt.subjectId(operation, subject);
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

async function list(step: Step, scope: Scope, rt: Runtime): Promise<unknown[]> {
  const source = step['for-each'];
  if (isQuery(step) && typeof source === 'object' && !Array.isArray(source)) {
    const query = queries[source.query as keyof typeof queries];
    return rt.activity(query.activity, evaluate(source.with ?? {}, scope) as never) as Promise<unknown[]>;
  }
  const listed = evaluate(source, scope);
  if (Array.isArray(listed)) return listed;
  throw new DroverError(
    'InvalidRunbook',
    `${step.id}: for-each must give a list, not ${JSON.stringify(listed)}`,
  );
}

const isQuery = (step: Step): boolean => {
  const source = step['for-each'];
  return typeof source === 'object' && !Array.isArray(source);
};

async function subjectOf(input: Item, rt: Runtime): Promise<string> {
  const given = String(input['instance']);
  return uuid.test(given) ? given : (await rt.activity('getInstance', { instance: given })).id;
}

const waitOf = (input: Item): number =>
  typeof input['wait'] === 'string' ? (parseDuration(input['wait']) ?? busyLimit) : busyLimit;

const isItem = (value: unknown): value is Item => typeof value === 'object' && value !== null;
const text = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
const told = (item: unknown, first: string, second: string): string =>
  isItem(item) ? (text(item[first]) ?? text(item[second]) ?? JSON.stringify(item)) : String(item);
const keyOf = (item: unknown): string => told(item, 'id', 'name');
const nameOf = (item: unknown): string => told(item, 'name', 'id');
