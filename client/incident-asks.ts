/** What people answer to a recovery, and how they end it. */
import { recoveryQueue } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { Incident } from '../model/incident.js';
import { mayAnswer } from './permissions.js';
import { recorded } from './trail.js';
import type { Caller } from './caller.js';
import { asDroverError } from './failures.js';
import { updateOperation } from './update.js';

export type IncidentAction = 'approve' | 'reject' | 'attest';

/** Throws what the recovery says against it, WrongState where none runs, WorkerMissing when nobody takes it up in time. */
export async function answerIncident(
  caller: Caller,
  { id, host, workflowId }: Pick<Incident, 'id' | 'host' | 'workflowId'>,
  action: IncidentAction,
  comment: string | null,
): Promise<{ said: string }> {
  return updateOperation(caller, {
    workflowId,
    queue: recoveryQueue(caller.cloud),
    action,
    ask: { way: null, ...(comment === null ? {} : { comment }) },
    of: `the recovery of ${host}`,
    noWorker: {
      message: 'no worker runs that could hear it',
      hint: 'start one with `drover worker`, then answer again; nothing was sent',
    },
    notHeard: {
      whether: 'it was heard',
      hint: `see with \`drover doctor\` whether a worker runs, then with \`drover incident show ${id}\` what is so`,
    },
    nothingRuns: {
      message: `no recovery of ${host} runs: there is nothing to ${action}`,
      hint: `see \`drover incident show ${id}\`; \`drover host recover ${host}\` goes on with what is left`,
    },
  });
}

/** What is fenced stays so, and evacuations that have begun come to their end. */
export async function cancelIncident(
  caller: Caller,
  { host, workflowId }: Pick<Incident, 'host' | 'workflowId'>,
): Promise<void> {
  return recorded(caller, { action: 'incident.cancel', subject: host, details: { workflowId } }, () =>
    cancel(caller, { host, workflowId }),
  );
}

async function cancel(
  caller: Caller,
  { host, workflowId }: Pick<Incident, 'host' | 'workflowId'>,
): Promise<void> {
  mayAnswer(caller, 'end a recovery');
  const { client } = await caller.temporal();
  try {
    await client.workflow.getHandle(workflowId).cancel();
  } catch (error) {
    const failure = asDroverError(error, `the recovery of ${host}`);
    if (failure.code !== 'NotFound') throw failure;
    throw new DroverError('WrongState', `no recovery of ${host} runs: there is nothing to cancel`, {
      hint: `see \`drover incident show ${host}\``,
    });
  }
}
