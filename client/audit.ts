import { randomUUID } from 'node:crypto';
import { getAudit } from '../activities/audit/store.js';
import { getHost } from '../activities/inventory/hosts.js';
import type { AuditOptions, AuditRecord } from '../model/audit.js';
import { auditWorkflowId } from '../model/addresses.js';
import { DroverError } from '../model/errors.js';
import type { AuditOrder } from '../workflows/audit.js';
import { searchAttributesOf } from '../workflows/search-attributes.js';
import { mayOperate } from './permissions.js';
import { urlOf, type Caller } from './caller.js';
import { isAlreadyStarted } from './failures.js';
import { follow, type FollowOptions } from './follow.js';
import { startWorkflow } from './start.js';
import { recorded } from './trail.js';

export interface StartedAudit {
  id: string;
  workflowId: string;
  runId: string;
}

/** Starts an audit; one at a time is asked for. Throws NotFound for a host, RunBusy, PermissionDenied for a repair. */
export async function startAudit(caller: Caller, options: AuditOptions): Promise<StartedAudit> {
  if (!options.repair && !options.adopt && !options.removeOrphanDisks) return start(caller, options);
  const entry = { action: 'audit.repair', subject: 'inventory', details: { ...options } };
  return recorded(caller, entry, async () => {
    mayOperate(caller);
    return start(caller, options);
  });
}

async function start(caller: Caller, options: AuditOptions): Promise<StartedAudit> {
  for (const host of options.hosts ?? []) await getHost(caller.inventory, host);
  const { name: by, role } = caller.identity;
  const argument: AuditOrder = { id: randomUUID(), by, role, options };
  const workflowId = auditWorkflowId(caller.cloud);
  try {
    const runId = await startWorkflow(caller, {
      type: 'audit',
      workflowId,
      argument,
      summary: `audit of the inventory${options.repair ? ', with repair' : ''}`,
      attributes: searchAttributesOf({
        cloud: caller.cloud,
        operation: null,
        subject: null,
        runbook: null,
        host: null,
      }),
      memo: { label: 'inventory', by },
    });
    return { id: argument.id, workflowId, runId };
  } catch (error) {
    if (!isAlreadyStarted(error)) throw error;
    const url = urlOf(await caller.temporal(), workflowId);
    throw new DroverError('RunBusy', `an audit runs already (workflow ${workflowId})`, {
      details: { workflowId, workflowUrl: url },
      hint: 'wait for it: drover audit list',
    });
  }
}

/** null when the time of who waits is over. */
export async function waitForAudit(
  caller: Caller,
  { id, workflowId, runId }: StartedAudit,
  options: FollowOptions,
): Promise<AuditRecord | null> {
  const answer = await follow(caller, { workflowId, runId, what: 'the audit' }, options);
  return answer.ended ? getAudit(caller.inventory, id) : null;
}
