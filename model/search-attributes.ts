/**
 * The search attributes that drover sets on its workflows: what can be found and shown without a worker.
 * Data only. Temporal needs them registered in the namespace before a workflow that sets one can start.
 */
export const searchAttributes = {
  /** The cloud as configured, for example `lab`. */
  DroverCloud: 'Keyword',
  DroverHost: 'Keyword',
  DroverInstance: 'Keyword',
  /** The operation by its registry key, for example `instance.live-migrate`. */
  DroverOperation: 'Keyword',
  DroverRunbook: 'Keyword',
  /** Where it stands, for example `moving`: kept here because a query needs a living worker. */
  DroverPhase: 'Keyword',
} as const;

export type SearchAttributeName = keyof typeof searchAttributes;

/** Finds runs that wait for people, as they show themselves (workflows/run-report.ts). */
export const waitingForApproval =
  "WorkflowType = 'run-runbook' AND ExecutionStatus = 'Running' AND DroverPhase = 'waiting for approval'";
