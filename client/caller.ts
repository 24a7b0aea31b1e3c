import type { Inventory } from '../activities/inventory/database.js';
import type { AuditTrailTable } from '../activities/inventory/schema-access.js';
import type { Strategy } from '../activities/inventory/placement/request.js';
import type { Request } from '../model/operation.js';
import type { TemporalConnection } from '../temporal/connect.js';
import { workflowUrl } from '../temporal/workflow-url.js';

/** Who asks. `runbooks`: the only ones that its token may start; null or nothing for all that its role may. */
export interface Identity {
  readonly name: string;
  readonly role: Request['role'];
  /** Id of the token that it came with. */
  readonly token?: string;
  readonly runbooks?: readonly string[] | null;
}

/** Whoever starts and follows work: the command line, the gateway, an alert, a schedule. */
export interface Caller {
  readonly cloud: string;
  readonly inventory: Inventory;
  /** How the cloud fills its hosts; default spread. */
  readonly strategy?: Strategy;
  readonly identity: Identity;
  /** How it came to drover: kept in the audit trail. */
  readonly via: AuditTrailTable['via'];
  /** Connects at its first use; throws TemporalUnreachable within 5 s. */
  temporal(): Promise<TemporalConnection>;
  /** A line for the operator, beside the result. */
  say(line: string): void;
}

/** The page of a workflow in the Temporal UI; null where the address of the UI is not known. */
export function urlOf(temporal: TemporalConnection, workflowId: string, runId?: string): string | null {
  const { uiUrl, namespace } = temporal;
  return uiUrl === undefined ? null : workflowUrl(uiUrl, namespace, workflowId, runId);
}
