/**
 * What people ask of a run that runs: Temporal updates, which the run itself accepts or refuses. The person is
 * recorded there, with the role of the configuration.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { recordRunAction } from '../activities/inventory/run-actions.js';
import { getRun } from '../activities/inventory/runs.js';
import { runWorkflowId } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { CancelAsk, DecisionAsk, RunAnswerToAsk, RunAsk, RunRecord } from '../model/run.js';
import type { TemporalConnection } from '../temporal/connect.js';
import { mayAnswer, mayOperate } from './permissions.js';
import type { Caller } from './caller.js';
import { asDroverError, isAway } from './failures.js';
import { hasWorker, progressOf } from './progress.js';
import { viewRun } from './run-view.js';
import { noRun } from './runs.js';
import { recorded as inTrail } from './trail.js';

export type Ask = { comment: string | null } & (
  | { action: 'approve' | 'reject'; step: string | null }
  | { action: 'pause' | 'resume' }
  | { action: 'cancel'; undo: boolean }
);

/** An update waits for a worker: not longer than this. */
const limitMs = 15_000;

/**
 * Throws what the run says against it (WrongState, PermissionDenied, …), WrongState for a run that has ended,
 * NotFound, WorkerMissing when nobody takes it up in time.
 */
export async function askRun(caller: Caller, id: string, ask: Ask): Promise<RunAnswerToAsk> {
  return inTrail(caller, entryOf(id, ask), () => askOf(caller, id, ask));
}

const entryOf = (id: string, { action, ...details }: Ask) => ({
  action: `run.${action}`,
  subject: id,
  details: { ...details },
});

function mayAsk(caller: Caller, { action }: Ask): void {
  if (action === 'approve' || action === 'reject') mayAnswer(caller, action);
  else mayOperate(caller);
}

async function askOf(caller: Caller, id: string, ask: Ask): Promise<RunAnswerToAsk> {
  mayAsk(caller, ask);
  const record = await recorded(caller, id);
  if (record && record.state !== 'running') throw ended(record, ask);
  const temporal = await caller.temporal();
  const workflowId = runWorkflowId(caller.cloud, id);
  const queue = await queueOfOpen(temporal, workflowId, id, record);
  if (queue === null) throw closedOutside(id, ask);
  if ((await hasWorker(temporal, caller.cloud, queue)) === false) {
    if (ask.action === 'cancel' && ask.undo) return cancelWithoutWorker(caller, temporal, record, id, ask);
    throw new DroverError('WorkerMissing', `no worker runs that could ${ask.action} run ${id}`, {
      hint: `start one with \`drover worker\`, then ${ask.action} again; nothing was sent`,
    });
  }
  try {
    return await send(temporal, workflowId, caller, ask);
  } catch (error) {
    if (isOldRun(error)) return oldRun(temporal, workflowId, id, ask);
    throw await told(error, caller, id, ask);
  }
}

/**
 * Approves or rejects. A run that waits for nobody itself, while one run within it does, means that one; of several
 * steps that wait, the run says to name one.
 */
export async function decide(
  caller: Caller,
  id: string,
  ask: Ask & { action: 'approve' | 'reject' },
): Promise<RunAnswerToAsk & { run: string; step: string | null }> {
  return inTrail(caller, entryOf(id, ask), () => decideOf(caller, id, ask));
}

async function decideOf(
  caller: Caller,
  id: string,
  ask: Ask & { action: 'approve' | 'reject' },
): Promise<RunAnswerToAsk & { run: string; step: string | null }> {
  mayAsk(caller, ask);
  const { waits } = await viewRun(caller, id);
  const meant = ask.step === null ? waits : waits.filter(({ step }) => step === ask.step);
  const runs = [...new Set(meant.map(({ run }) => run))];
  if (!runs.includes(id) && runs.length > 1) {
    const commands = meant.map(({ run, step }) => `drover run ${ask.action} ${run} --step ${step}`);
    throw new DroverError('Ambiguous', `${runs.length} runs within run ${id} wait for approval`, {
      details: { waits: meant.map(({ run, step }) => ({ run, step })) },
      hint: `name one: ${commands.join(', ')}`,
    });
  }
  const run = runs.includes(id) ? id : (runs[0] ?? id);
  const [one, ...others] = meant.filter((wait) => wait.run === run);
  const step = ask.step ?? (one && others.length === 0 ? one.step : null);
  return { run, step, ...(await askOf(caller, run, ask)) };
}

async function send(
  { client }: TemporalConnection,
  workflowId: string,
  { identity }: Caller,
  { action, ...rest }: Ask,
): Promise<RunAnswerToAsk> {
  const who: RunAsk = { by: identity.name, role: identity.role, comment: rest.comment };
  const argument: RunAsk | DecisionAsk | CancelAsk = { ...rest, ...who };
  return client.withDeadline(Date.now() + limitMs, () =>
    client.workflow
      .getHandle(workflowId)
      .executeUpdate<RunAnswerToAsk, [RunAsk]>(action, { args: [argument] }),
  );
}

/** Temporal keeps a cancel until a worker comes; there is nobody who could refuse it. */
async function cancelWithoutWorker(
  caller: Caller,
  { client }: TemporalConnection,
  record: RunRecord | undefined,
  id: string,
  { comment }: Ask,
): Promise<RunAnswerToAsk> {
  await client.workflow.getHandle(runWorkflowId(caller.cloud, id)).cancel();
  if (record) {
    const details = { undo: true, workers: 'none' };
    const by = caller.identity.name;
    const action = { id: randomUUID(), run: id, by, action: 'cancel' as const, step: null, comment, details };
    await recordRunAction(caller.inventory, action);
  }
  return { said: 'no worker runs: it is cancelled once one does (start one with `drover worker`)' };
}

/** Runs of the first language know no updates. */
const isOldRun = (error: unknown): boolean =>
  error instanceof Error && error.cause instanceof Error && /No registered handler/.test(error.cause.message);

async function oldRun(
  { client }: TemporalConnection,
  workflowId: string,
  id: string,
  ask: Ask,
): Promise<RunAnswerToAsk> {
  if (ask.action === 'cancel' && ask.undo) {
    await client.workflow.getHandle(workflowId).cancel();
    return { said: 'it stops and takes back what its runbook says' };
  }
  const asked = ask.action === 'cancel' ? 'cancelled without undo' : `asked to ${ask.action}`;
  throw new DroverError('Unsupported', `run ${id} began with an older drover and can't be ${asked}`, {
    hint: `wait for it, or cancel it: \`drover run cancel ${id}\``,
  });
}

async function told(error: unknown, caller: Caller, id: string, ask: Ask): Promise<DroverError> {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isAway(error)) {
    const after = `no worker answered within ${limitMs / 1000} s, so it is not known whether run ${id} was asked to ${ask.action}`;
    return new DroverError('WorkerMissing', after, {
      hint: `see with \`drover doctor\` whether a worker runs, then with \`drover run show ${id}\` what was recorded`,
      cause: error,
    });
  }
  const failure = asDroverError(error, `${ask.action} of run ${id}`);
  const { cause } = failure;
  const over = cause instanceof WorkflowNotFoundError || /completed before the Update/i.test(failure.message);
  if (!over) return pointed(failure, id);
  // Its end is written in the last moment of its workflow.
  await sleep(200);
  const record = await recorded(caller, id);
  return record && record.state !== 'running' ? ended(record, ask) : closedOutside(id, ask);
}

/** The run itself does not know by which commands it is asked: its hint gets the id. */
function pointed({ code, message, details, hint }: DroverError, id: string): DroverError {
  const said = hint.replaceAll('`drover run show`', `\`drover run show ${id}\``);
  return new DroverError(code, message, { details, hint: said });
}

/** Whose workers hear it; null where it does not run. */
async function queueOfOpen(
  temporal: TemporalConnection,
  workflowId: string,
  id: string,
  record: RunRecord | undefined,
): Promise<string | null> {
  try {
    const { running, queue } = await progressOf(temporal, workflowId);
    return running ? queue : null;
  } catch (error) {
    const failure = asDroverError(error, `run ${id}`);
    if (failure.code !== 'NotFound') throw failure;
    if (record) return null;
    throw noRun(id);
  }
}

async function recorded({ inventory }: Caller, id: string): Promise<RunRecord | undefined> {
  try {
    return await getRun(inventory, id);
  } catch (error) {
    if (error instanceof DroverError && error.code === 'NotFound') return undefined;
    throw error;
  }
}

const ended = ({ id, state, endedAt }: RunRecord, { action }: Ask): DroverError =>
  new DroverError(
    'WrongState',
    `run ${id} does not run any more (${state} at ${endedAt ?? 'an unknown time'}): there is nothing to ${action}`,
    { details: { run: id, state, endedAt }, hint: `see \`drover run show ${id}\`` },
  );

const closedOutside = (id: string, { action }: Ask): DroverError =>
  new DroverError(
    'WrongState',
    `the workflow of run ${id} was ended from outside: there is nothing to ${action}`,
    { details: { run: id }, hint: `see \`drover run show ${id}\` for what it had done` },
  );
