/** An incident from its opening to its end, in the inventory; each of these may run twice. */
import { DroverError } from '../../model/errors.js';
import type { Host } from '../../model/host.js';
import type { Evidence, Fence } from '../../model/incident.js';
import type { Implement } from '../types.js';
import { transact, type Inventory, type Trx } from '../inventory/database.js';
import { evacuatedIn } from '../inventory/evacuated.js';
import { hostsWithUsage, requireHost } from '../inventory/hosts.js';
import { incidentOf, requireIncident, writeFence, writeLines } from '../inventory/incidents.js';
import type { OwnershipDeps } from '../inventory/ownership.js';
import { fromJson, jsonOrNull, toJson } from '../inventory/rows.js';
import type { IncidentsTable } from '../inventory/schema-recovery.js';
import type { RecoveryDeps } from './deps.js';
import { recoveryRefusal } from './refusals.js';
import { modeOf } from './switches.js';
import type { RecoveryActivities } from './types.js';

export type IncidentDeps = RecoveryDeps & Pick<OwnershipDeps, 'currentRun'>;
type Part = 'openIncident' | 'noteIncident' | 'setFence' | 'withdrawFence' | 'closeIncident';

export function createIncidentActivities(deps: IncidentDeps): Pick<Implement<RecoveryActivities>, Part> {
  const { inventory } = deps;
  return {
    openIncident: (input) => openIncident(deps, input),

    async noteIncident({ incident, lines, state, verdict, waitsFor, instances }) {
      await transact(inventory, async (trx) => {
        await writeLines(trx, inventory.now(), incident, lines);
        const said = {
          ...(state === undefined ? {} : { state }),
          ...(verdict === undefined ? {} : { verdict: toJson(verdict) }),
          ...(waitsFor === undefined ? {} : { waits_for: waitsFor }),
          ...(instances === undefined ? {} : { instances: toJson(instances) }),
        };
        if (Object.keys(said).length === 0) return;
        await trx.updateTable('incidents').set(said).where('id', '=', incident).execute();
      });
    },

    async setFence({ incident, host, evidence }) {
      await transact(inventory, async (trx) => {
        await requireOpen(trx, incident);
        const fence: Fence = { incident, at: inventory.now(), evidence, state: 'held' };
        await writeFence(trx, host, fence);
        await trx
          .updateTable('incidents')
          .set({ evidence: toJson(evidence), waits_for: null })
          .where('id', '=', incident)
          .execute();
      });
    },

    // Quarantined, not as it was before: copies of its guests may run elsewhere by now.
    async withdrawFence({ incident, host, says }) {
      return transact(inventory, async (trx) => {
        const { readmitted_at: readmittedAt } = await requireIncident(trx, incident);
        if (readmittedAt !== null) return { readmitted: true };
        const fence = await fenceOf(trx, host);
        const held = fence?.incident === incident && fence.state === 'held';
        if (!held) return { readmitted: false };
        const evidence: Evidence = { ...fence.evidence, says: `${fence.evidence.says}; withdrawn: ${says}` };
        await writeFence(trx, host, { ...fence, evidence, state: 'withdrawn' });
        return { readmitted: false };
      });
    },

    async closeIncident({ incident, state, instances, error }) {
      await transact(inventory, async (trx) => {
        const { host, ended_at: ended, opened_at: openedAt } = await requireIncident(trx, incident);
        if (ended !== null) return;
        // What an earlier run of it brought back, before somebody ended that.
        const known = new Set(instances.map((one) => one.instance));
        const earlier = (await evacuatedIn(trx, { host, openedAt })).filter(
          (one) => !known.has(one.instance),
        );
        const fence = await fenceOf(trx, host);
        // Nothing of it is left to run elsewhere: it may come back, to its quarantine.
        if (state === 'recovered' && fence?.incident === incident)
          await writeFence(trx, host, { ...fence, state: 'released' });
        // What was never fenced gives its fence back to the budget.
        const spared =
          fence === null && (state === 'false-alarm' || state === 'not-fenced')
            ? { fence_taken_at: null }
            : {};
        await trx
          .updateTable('incidents')
          .set({
            state,
            instances: toJson([...earlier, ...instances]),
            error: jsonOrNull(error),
            ended_at: inventory.now(),
            waits_for: null,
            ...spared,
          })
          .where('id', '=', incident)
          .execute();
      });
    },
  };
}

type Opened = Awaited<ReturnType<RecoveryActivities['openIncident']>>;

async function openIncident(
  { inventory, rules, currentRun }: IncidentDeps,
  { request, host: name, reason }: Parameters<RecoveryActivities['openIncident']>[0],
): Promise<Opened> {
  return transact(inventory, async (trx) => {
    const host = await hostNow(trx, inventory, name);
    const switched = await modeOf(trx, inventory, host.zone);
    const rest = {
      host,
      mode: switched.mode,
      vantages: rules.vantages,
      others: await otherHosts(trx, name),
      rules,
    };
    const before = await incidentOf(trx, name);
    if (before !== undefined && goesOn(before, host.fence)) {
      if (before.ended_at !== null) await reopen(trx, before);
      return {
        ...rest,
        incident: before.id,
        // The request that opened it finds it again when the answer was lost.
        joined: before.id !== request.id,
        refused: null,
        approvedBy: await approver(trx, before.id),
        distrusted: await distrusted(trx, before.id),
      };
    }
    const refusal = recoveryRefusal(host, switched);
    if (refusal)
      return {
        ...rest,
        incident: '',
        joined: false,
        refused: refusal.toRecord(),
        approvedBy: null,
        distrusted: [],
      };
    // The request is the incident: repeated, it finds the one that it opened.
    const { id } = request;
    const again = await trx.selectFrom('incidents').select('id').where('id', '=', id).executeTakeFirst();
    if (again !== undefined)
      throw new DroverError('WrongState', `the request ${id} had its incident already, and it has ended`);
    const now = inventory.now();
    await trx
      .insertInto('incidents')
      .values({
        id,
        host: name,
        domain: host.zone ?? '',
        state: 'confirming',
        by: request.by,
        reason,
        workflow_id: currentRun()?.workflowId ?? '',
        verdict: null,
        evidence: null,
        instances: toJson([]),
        waits_for: null,
        error: null,
        fence_taken_at: null,
        opened_at: now,
        ended_at: null,
        readmitted_at: null,
      })
      .execute();
    return { ...rest, incident: id, joined: false, refused: null, approvedBy: null, distrusted: [] };
  });
}

/** One that ended with a fence, or may have cut the host off, is the same outage: no second fence is taken for it. */
const goesOn = (row: IncidentsTable, fence: Fence | null): boolean =>
  row.ended_at === null || fence?.incident === row.id || row.state === 'failed';

async function reopen(trx: Trx, { id }: IncidentsTable): Promise<void> {
  await trx
    .updateTable('incidents')
    .set({ state: 'confirming', ended_at: null, error: null })
    .where('id', '=', id)
    .execute();
}

async function approver(trx: Trx, incident: string): Promise<string | null> {
  const row = await trx
    .selectFrom('incident_events')
    .select('details')
    .where('incident', '=', incident)
    .where('phase', '=', 'approved')
    .orderBy('seq', 'desc')
    .executeTakeFirst();
  const { by } = (fromJson(row?.details ?? null) ?? {}) as { by?: unknown };
  return typeof by === 'string' ? by : null;
}

async function hostNow(trx: Trx, inventory: Inventory, name: string): Promise<Host> {
  const { name: known } = await requireHost(trx, name);
  const found = (await hostsWithUsage(trx, inventory)).find((host) => host.name === known);
  if (found !== undefined) return found;
  throw new DroverError('NotFound', `host ${name} was removed just now`, { details: { host: name } });
}

async function distrusted(trx: Trx, incident: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('incident_events')
    .select('details')
    .where('incident', '=', incident)
    .where('phase', '=', 'distrusted')
    .execute();
  return rows.flatMap(({ details }) => (fromJson(details) as { devices?: string[] }).devices ?? []);
}

/** To compare with: a vantage point that sees none of them is cut off itself. */
const otherHosts = (trx: Trx, name: string) =>
  trx
    .selectFrom('hosts')
    .select(['name', 'uri'])
    .where('name', '<>', name)
    .where('state', '=', 'up')
    .where('fence', 'is', null)
    .orderBy('name')
    .limit(mostOthers)
    .execute();

const mostOthers = 5;

async function requireOpen(trx: Trx, incident: string): Promise<void> {
  const { ended_at: ended, host } = await requireIncident(trx, incident);
  if (ended === null) return;
  throw new DroverError('WrongState', `the incident of ${host} has ended at ${ended}`, {
    details: { incident },
  });
}

async function fenceOf(trx: Trx, host: string): Promise<Fence | null> {
  const row = await trx.selectFrom('hosts').select('fence').where('name', '=', host).executeTakeFirst();
  return fromJson(row?.fence ?? null) as Fence | null;
}
