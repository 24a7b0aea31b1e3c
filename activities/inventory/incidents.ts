/** Incidents of lost hosts: one per host since its last readmission, and the log of each. */
import { DroverError } from '../../model/errors.js';
import type { ErrorRecord } from '../../model/errors.js';
import type { Evidence, Fence, Incident, IncidentEvent, Recovered, Verdict } from '../../model/incident.js';
import { read, type Inventory, type Trx } from './database.js';
import { fromJson, toJson } from './rows.js';
import type { IncidentsTable } from './schema-recovery.js';

/** A line of the log; `id` is chosen by the caller: written a second time, it changes nothing. */
export interface Line {
  id: string;
  phase: string;
  says: string;
  details?: Record<string, unknown> | undefined;
}

export async function writeLines(
  trx: Trx,
  now: string,
  incident: string,
  lines: readonly Line[],
): Promise<void> {
  const last = await trx
    .selectFrom('incident_events')
    .select((e) => e.fn.max('seq').as('seq'))
    .where('incident', '=', incident)
    .executeTakeFirst();
  let seq = last?.seq ?? 0;
  for (const { id, phase, says, details = {} } of lines) {
    seq += 1;
    await trx
      .insertInto('incident_events')
      .values({ id, incident, seq, at: now, phase, says, details: toJson(details) })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  }
}

/** The incident of the host that no readmission has ended yet; the newest. */
export const incidentOf = (trx: Trx, host: string): Promise<IncidentsTable | undefined> =>
  trx
    .selectFrom('incidents')
    .selectAll()
    .where('host', '=', host)
    .where('readmitted_at', 'is', null)
    .orderBy('opened_at', 'desc')
    .orderBy('id', 'desc')
    .executeTakeFirst();

export async function requireIncident(trx: Trx, id: string): Promise<IncidentsTable> {
  const row = await trx.selectFrom('incidents').selectAll().where('id', '=', id).executeTakeFirst();
  if (row !== undefined) return row;
  throw new DroverError('NotFound', `there is no incident ${id}`, {
    details: { incident: id },
    hint: 'list them with `drover incident list`',
  });
}

export async function writeFence(trx: Trx, host: string, fence: Fence): Promise<void> {
  await trx
    .updateTable('hosts')
    .set({ fence: toJson(fence) })
    .where('name', '=', host)
    .execute();
}

/** Newest first. `open`: those that no one has closed. `since`: these, and those that began or ended then or later. */
export async function listIncidents(
  inventory: Inventory,
  by: {
    host?: string | undefined;
    open?: boolean | undefined;
    since?: string | undefined;
    limit?: number | undefined;
  } = {},
): Promise<Incident[]> {
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('incidents')
      .selectAll()
      .$if(by.host !== undefined, (query) => query.where('host', '=', by.host ?? ''))
      .$if(by.open === true, (query) => query.where('ended_at', 'is', null))
      .$if(by.since !== undefined, (query) =>
        query.where((or) =>
          or.or([
            or('ended_at', 'is', null),
            or('opened_at', '>=', by.since ?? ''),
            or('ended_at', '>=', by.since ?? ''),
          ]),
        ),
      )
      .orderBy('opened_at', 'desc')
      .orderBy('id', 'desc')
      .limit(by.limit ?? 100)
      .execute(),
  );
  return rows.map(incidentFrom);
}

/** Oldest first. */
export async function listIncidentEvents(inventory: Inventory, incident: string): Promise<IncidentEvent[]> {
  const rows = await read(inventory, (db) =>
    db.selectFrom('incident_events').selectAll().where('incident', '=', incident).orderBy('seq').execute(),
  );
  return rows.map(({ at, phase, says, details }) => ({
    at,
    phase,
    says,
    details: fromJson(details) as Record<string, unknown>,
  }));
}

export const incidentFrom = (row: IncidentsTable): Incident => ({
  id: row.id,
  host: row.host,
  state: row.state,
  openedAt: row.opened_at,
  endedAt: row.ended_at,
  readmittedAt: row.readmitted_at,
  by: row.by,
  reason: row.reason,
  workflowId: row.workflow_id,
  verdict: fromJson(row.verdict) as Verdict | null,
  evidence: fromJson(row.evidence) as Evidence | null,
  instances: fromJson(row.instances) as Recovered[],
  waitsFor: row.waits_for,
  error: fromJson(row.error) as ErrorRecord | null,
});
