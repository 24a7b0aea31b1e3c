/** What happened that somebody may want to be told: read from the records, so that no crash loses it. */
import { listIncidents } from '../activities/inventory/incidents.js';
import type { Inventory } from '../activities/inventory/database.js';
import { listRuns } from '../activities/inventory/runs.js';
import { runWorkflowId } from '../model/addresses.js';
import type { Incident } from '../model/incident.js';
import type { Happened, NoticeEvent } from '../model/notice.js';
import { waitsOf, type RunRecord, type RunStepRecord } from '../model/run.js';

/** Runs that nobody started as a step of another, and incidents, as far as they changed at or after that time. */
export async function happenedSince(inventory: Inventory, cloud: string, since: string): Promise<Happened[]> {
  const recent = (at: string | null): at is string => at !== null && at >= since;
  const runs = await listRuns(inventory, { parent: null, since, limit: 1000 });
  const incidents = await listIncidents(inventory, { since, limit: 1000 });
  return [...runs.flatMap((run) => ofRun(run, cloud)), ...incidents.flatMap(ofIncident)].filter(({ at }) =>
    recent(at),
  );
}

const ends: Record<Exclude<RunRecord['state'], 'running'>, NoticeEvent> = {
  succeeded: 'run-done',
  failed: 'run-failed',
  rejected: 'run-failed',
  cancelled: 'run-cancelled',
};

function ofRun({ id, runbook, by, state, startedAt, endedAt, error }: RunRecord, cloud: string): Happened[] {
  const common = {
    subject: { type: 'run', id, name: runbook } as const,
    by,
    occurrence: '',
    workflowId: runWorkflowId(cloud, id),
    command: `drover run show ${id}`,
  };
  const started = {
    ...common,
    event: 'run-started',
    at: startedAt,
    state: 'running',
    says: `${runbook} was started by ${by}`,
  } as const;
  if (state === 'running' || endedAt === null) return [started];
  const why = error === null ? '' : `: ${error.code}: ${error.message}`;
  const says = `${runbook} ended as ${state}${why}`.slice(0, 1000);
  return [started, { ...common, event: ends[state], at: endedAt, state, says }];
}

function ofIncident(incident: Incident): Happened[] {
  const { id, host, by, state, reason, waitsFor, openedAt, endedAt, workflowId } = incident;
  const common = {
    subject: { type: 'incident', id, name: host } as const,
    by,
    state,
    occurrence: '',
    workflowId,
    command: `drover incident show ${id}`,
  };
  const opened = { ...common, event: 'incident-opened', at: openedAt, says: `${host}: ${reason}` } as const;
  if (endedAt !== null)
    return [
      opened,
      { ...common, event: 'incident-closed', at: endedAt, says: `the incident of ${host} ended as ${state}` },
    ];
  if (waitsFor === null) return [opened];
  // When it asks is not recorded: it asks now.
  const now = new Date().toISOString();
  return [
    opened,
    { ...common, event: 'incident-asks', at: now, says: waitsFor.slice(0, 1000), occurrence: waitsFor },
  ];
}

/** A run that waits for people, as its progress tells. */
export function approvalNeeded(
  { id, runbook, by }: Pick<RunRecord, 'id' | 'runbook' | 'by'>,
  steps: readonly RunStepRecord[],
  cloud: string,
): Happened[] {
  return waitsOf(id, steps).map(({ step, name, approval }) => {
    const who = approval.from.length === 0 ? 'any operator or administrator' : approval.from.join(', ');
    return {
      event: 'approval-needed',
      at: new Date().toISOString(),
      subject: { type: 'run', id, name: runbook },
      state: 'waiting',
      says: `${runbook}: ${name} waits for approval by ${who} until ${approval.until}: ${approval.message}`.slice(
        0,
        1000,
      ),
      by,
      occurrence: `${step} ${approval.until}`,
      workflowId: runWorkflowId(cloud, id),
      command: `drover run approve ${id} --step ${step}`,
    } satisfies Happened;
  });
}
