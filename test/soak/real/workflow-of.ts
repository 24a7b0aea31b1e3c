import type { WorkflowHandle } from '@temporalio/client';
import type { Random } from '../../../virtual/random.js';
import type { RealSite } from './site.js';

/** Of an operation on an instance that runs now; undefined where none does. */
export async function operationWorkflowOf(
  { caller, inventory }: RealSite,
  random: Random,
): Promise<WorkflowHandle | undefined> {
  const open = await inventory.kysely
    .selectFrom('operations')
    .select('workflow_id')
    .where('ended_at', 'is', null)
    .where('instance', 'is not', null)
    .execute();
  if (open.length === 0) return undefined;
  const { client } = await caller.temporal();
  return client.workflow.getHandle(random.pick(open).workflow_id);
}
