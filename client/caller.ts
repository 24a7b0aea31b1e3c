import type { Inventory } from '../activities/inventory/database.js';
import type { Strategy } from '../activities/inventory/placement/request.js';
import type { Request } from '../model/operation.js';
import type { TemporalConnection } from '../temporal/connect.js';
import { workflowUrl } from '../temporal/workflow-url.js';

/** Whoever starts and follows work: the command line, later the gateway. */
export interface Caller {
  readonly cloud: string;
  readonly inventory: Inventory;
  /** How the cloud fills its hosts; default spread. */
  readonly strategy?: Strategy;
  readonly identity: { name: string; role: Request['role'] };
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
