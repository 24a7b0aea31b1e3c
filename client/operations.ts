/** Starts, follows and cancels operations on instances and hosts. */
import { randomUUID } from 'node:crypto';
import { getOperation, listOperations } from '../activities/inventory/records.js';
import { DroverError } from '../model/errors.js';
import type { OperationAsk, OperationRecord } from '../model/operation.js';
import { subjectWorkflowId } from '../model/addresses.js';
import { operationKey } from '../workflows/define.js';
import { searchAttributesOf } from '../workflows/search-attributes.js';
import { resolveAsk, type Asked } from './ask.js';
import { mayOperate } from './permissions.js';
import { busyError, settleRunning, type WhenBusy } from './busy.js';
import type { Caller } from './caller.js';
import { asDroverError, isAlreadyStarted } from './failures.js';
import { follow, type Ended, type FollowOptions } from './follow.js';
import { startWorkflow } from './start.js';
import { recorded } from './trail.js';

export interface Ask {
  /** The registry key: `instance.live-migrate`. */
  operation: string;
  input: Record<string, unknown>;
  /** A request that is repeated with the same key gets the answer of the first; default: a fresh one. */
  idempotencyKey?: string | undefined;
  /** What to do when another operation runs; default: refuse. */
  whenBusy?: WhenBusy | undefined;
}

export interface Started extends Asked {
  /** The operation's id, and its idempotency key. */
  id: string;
  workflowId: string;
  /** Undefined when the operation was started by an earlier request. */
  runId: string | undefined;
}

export type StartAnswer = { kind: 'started'; started: Started } | { kind: 'closed'; record: OperationRecord };

export async function startOperation(caller: Caller, ask: Ask): Promise<StartAnswer> {
  const { operation, input } = ask;
  const named = [input['instance'], input['host'], input['name']].find((name) => typeof name === 'string');
  const subject = named ?? '';
  return recorded(caller, { action: operation, subject, details: { input } }, async (more) => {
    const answer = await start(caller, ask);
    more({ id: answer.kind === 'closed' ? answer.record.id : answer.started.id });
    return answer;
  });
}

async function start(caller: Caller, ask: Ask): Promise<StartAnswer> {
  mayOperate(caller);
  const asked = await resolveAsk(caller, ask);
  const id = ask.idempotencyKey ?? randomUUID();
  const earlier = ask.idempotencyKey === undefined ? undefined : await earlierRequest(caller, asked, id);
  if (earlier) return earlier;
  const workflowId = subjectWorkflowId(caller.cloud, operationKey(asked.operation), asked.subject);
  for (;;) {
    try {
      const runId = await begin(caller, asked, id, workflowId);
      return { kind: 'started', started: { ...asked, id, workflowId, runId } };
    } catch (error) {
      if (!isAlreadyStarted(error)) throw asDroverError(error, describeAsk(asked));
      // The same request, sent twice at the same time: follow the one that won.
      const twin = ask.idempotencyKey === undefined ? undefined : await earlierRequest(caller, asked, id);
      if (twin) return twin;
      const open =
        asked.operation.target === 'host' && asked.operation.joins && (await join(caller, asked, workflowId));
      if (open) return { kind: 'started', started: { ...asked, id: open.id, workflowId, runId: undefined } };
      if (!ask.whenBusy) throw await busyError(caller, workflowId, asked);
      await settleRunning(caller, workflowId, asked, ask.whenBusy);
    }
  }
}

/** The one that is open is told of it, and its answer is the answer; undefined where it has ended just now. */
async function join(caller: Caller, asked: Asked, workflowId: string): Promise<OperationRecord | undefined> {
  const { operation, subject, label } = asked;
  const { reason } = asked.input;
  const open = await listOperations(caller.inventory, { host: subject, state: 'running', limit: 20 });
  const record = open.find(({ kind }) => kind === operation.name);
  if (record === undefined) return undefined;
  caller.say(
    `${operation.name} of ${label} runs already, since ${record.startedAt} by ${record.by}: joining it`,
  );
  const { client } = await caller.temporal();
  const { name: by, role } = caller.identity;
  const said: OperationAsk = {
    by,
    role,
    way: null,
    ...(typeof reason === 'string' ? { comment: reason } : {}),
  };
  // Only for its log: without a worker nobody writes it, and the work goes on all the same.
  await client
    .withDeadline(Date.now() + joinMs, () =>
      client.workflow.getHandle(workflowId).executeUpdate('join', { args: [said] }),
    )
    .catch(() => undefined);
  return record;
}

const joinMs = 3000;

const begin = (caller: Caller, asked: Asked, id: string, workflowId: string): Promise<string> => {
  const { operation, input, subject, label, host } = asked;
  const { cloud, identity } = caller;
  const key = operationKey(operation);
  return startWorkflow(caller, {
    type: key,
    workflowId,
    argument: { request: { id, by: identity.name, role: identity.role, run: null }, input },
    summary: `${key} ${label}`,
    attributes: searchAttributesOf({ cloud, operation: key, subject, runbook: null, host }),
    memo: { label, by: identity.name },
  });
};

async function earlierRequest(caller: Caller, asked: Asked, id: string): Promise<StartAnswer | undefined> {
  const record = await recordOf(caller, id);
  if (record === undefined) return undefined;
  if (
    record.kind !== asked.operation.name ||
    (record.instance ?? record.host ?? asked.subject) !== asked.subject
  ) {
    const first = `${record.kind} of ${record.instance ?? record.host ?? 'another one'} at ${record.startedAt}`;
    throw new DroverError('InvalidInput', `the idempotency key ${id} was used before, for ${first}`, {
      hint: 'take a new key for a new request',
    });
  }
  if (record.endedAt !== null) return { kind: 'closed', record };
  return { kind: 'started', started: { ...asked, id, workflowId: record.workflowId, runId: undefined } };
}

/** The record of an operation; undefined while there is none. */
async function recordOf(caller: Caller, id: string): Promise<OperationRecord | undefined> {
  try {
    return await getOperation(caller.inventory, id);
  } catch (error) {
    if (error instanceof DroverError && error.code === 'NotFound') return undefined;
    throw error;
  }
}

/** Waits for the outcome. Throws what the operation threw, as a DroverError. */
export async function waitForResult(
  caller: Caller,
  started: Started,
  options: FollowOptions = {},
): Promise<Ended> {
  const { workflowId, runId, id } = started;
  return follow(
    caller,
    { workflowId, runId, what: describeAsk(started) },
    {
      ...options,
      recorded: async () => {
        const record = await recordOf(caller, id);
        return record?.endedAt ? { ended: true, result: outcomeOf(record) } : undefined;
      },
    },
  );
}

/** What a closed operation answered, or the error that it ended with. */
export function outcomeOf(record: OperationRecord): Record<string, unknown> | null {
  if (record.error === null) return record.result;
  const { code, message, details, hint } = record.error;
  throw new DroverError(code, message, { details, hint });
}

/** Asks the running operation of an instance to stop and to take back what it did. */
export async function cancelOperation(
  caller: Caller,
  subject: { workflowId: string; label: string },
): Promise<void> {
  return recorded(caller, { action: 'operation.cancel', subject: subject.label }, () =>
    cancel(caller, subject),
  );
}

async function cancel(caller: Caller, subject: { workflowId: string; label: string }): Promise<void> {
  mayOperate(caller);
  const { client } = await caller.temporal();
  try {
    await client.workflow.getHandle(subject.workflowId).cancel();
  } catch (error) {
    const told = asDroverError(error, `the operation of ${subject.label}`);
    if (told.code !== 'NotFound') throw told;
    throw new DroverError('WrongState', `no operation runs on ${subject.label}: there is nothing to cancel`, {
      hint: `see \`drover instance history ${subject.label}\``,
    });
  }
}

export const describeAsk = ({ operation, label }: Pick<Asked, 'operation' | 'label'>): string =>
  `${operation.name} of ${label}`;
