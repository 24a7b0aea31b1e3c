import { randomUUID } from 'node:crypto';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  type Client,
} from '@temporalio/client';
import { instanceWorkflowId, workflowQueue } from '../model/addresses.js';
import { searchAttributesOf } from '../workflows/search-attributes.js';

/** Operations that the worker itself asks for. `searchable`: Temporal knows drover's search attributes. */
export function operator(
  client: Client,
  { cloud, searchable }: { cloud: string; searchable: boolean },
): (operation: string, instance: string, by: string) => Promise<Record<string, unknown> | null> {
  return async (operation, instance, by) => {
    const request = { id: randomUUID(), by, role: 'automation', run: null };
    const attributes = searchAttributesOf({ cloud, operation, subject: instance, runbook: null, host: null });
    try {
      const answer: unknown = await client.workflow.execute(operation, {
        workflowId: instanceWorkflowId(cloud, instance),
        taskQueue: workflowQueue(cloud, operation),
        args: [{ request, input: { instance } }],
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        staticSummary: `${operation}, by ${by}`,
        memo: { by, searchable },
        ...(searchable ? { typedSearchAttributes: attributes } : {}),
      });
      return (answer ?? {}) as Record<string, unknown>;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
      throw error;
    }
  };
}
