/** What is told of an operation that was asked for: by the command line with `-o json`, and by the API. */
import type { OperationRecord } from '../model/operation.js';
import { urlOf, type Caller } from './caller.js';
import { outcomeOf, type Started } from './operations.js';

/** Cancelled only where that was asked for. */
export interface Answer {
  id: string;
  operation: string;
  subject: string;
  state: 'running' | 'succeeded' | 'cancelled';
  result: unknown;
  workflowId: string;
  workflowUrl: string | null;
}

export async function answerOf(
  caller: Caller,
  { id, operation, label, workflowId, runId }: Started,
): Promise<Answer> {
  const workflowUrl = urlOf(await caller.temporal(), workflowId, runId);
  return {
    id,
    operation: operation.name,
    subject: label,
    state: 'running',
    result: null,
    workflowId,
    workflowUrl,
  };
}

/** Of one that an earlier request asked for. Throws what it ended with. */
export function closedAnswer(record: OperationRecord, subject: string): Answer {
  const { id, kind: operation, workflowId } = record;
  const result = outcomeOf(record);
  return { id, operation, subject, state: 'succeeded', result, workflowId, workflowUrl: null };
}
