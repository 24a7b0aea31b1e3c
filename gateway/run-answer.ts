import { urlOf, type Caller } from '../client/caller.js';
import type { StartedRun } from '../client/runs.js';
import { Answer } from './route.js';

/** Of a run that was started; `more` is told besides. */
export async function startedAnswer(
  caller: Caller,
  { id, plan, workflowId }: StartedRun,
  more: Record<string, unknown> = {},
): Promise<Answer> {
  const workflowUrl = urlOf(await caller.temporal(), workflowId);
  const told = { id, runbook: plan.name, state: 'running', ...more, workflowId, workflowUrl };
  return new Answer(202, told, `/api/v1/runs/${id}`);
}
