import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { DroverError } from '../model/errors.js';

/** What Temporal says of the latest run of a workflow id; null when it knows none. */
export function findWorkflow(client: Client) {
  return async (workflowId: string): Promise<{ open: boolean; type: string; runId: string } | null> => {
    try {
      const found = await client.workflow.getHandle(workflowId).describe();
      return { open: found.status.name === 'RUNNING', type: found.type, runId: found.runId };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw new DroverError('TemporalUnreachable', `Temporal did not describe ${workflowId}`, {
        cause: error,
      });
    }
  };
}
