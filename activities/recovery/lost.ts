/** Recoveries that somebody ended from outside: their incident is open, and no workflow goes on with it. */
import { read, transact } from '../inventory/database.js';
import { writeLines } from '../inventory/incidents.js';
import type { OwnershipDeps } from '../inventory/ownership.js';
import { modeOf } from './switches.js';

interface LostRecovery {
  incident: string;
  host: string;
  by: string;
}

/** So often within so long it is begun, whoever asked: who ends it more often means it, and goes on by hand. */
const beginnings = 4;
const withinMs = 3_600_000;

/**
 * Those that are to be begun again. A cancel closes the incident, so one that was ended in order is none of them. Where recoveries are
 * disarmed, or one was ended again and again, the incident tells that it waits for a person.
 */
export async function lostRecoveries({
  inventory,
  isOpen,
}: Pick<OwnershipDeps, 'inventory' | 'isOpen'>): Promise<LostRecovery[]> {
  const open = await read(inventory, (db) =>
    db
      .selectFrom('incidents')
      .innerJoin('hosts', 'hosts.name', 'incidents.host')
      .select(['incidents.id', 'incidents.host', 'incidents.by', 'incidents.workflow_id', 'hosts.zone'])
      .where('incidents.ended_at', 'is', null)
      .where('incidents.readmitted_at', 'is', null)
      .orderBy('incidents.opened_at')
      .execute(),
  );
  const lost: LostRecovery[] = [];
  for (const { id, host, by, workflow_id: workflowId, zone } of open) {
    if (workflowId === '' || (await isOpen(workflowId))) continue;
    const why = await transact(inventory, async (trx) => {
      const now = inventory.now();
      const row = await trx
        .selectFrom('incidents')
        .select('ended_at')
        .where('id', '=', id)
        .executeTakeFirst();
      // It came to its end while Temporal was asked.
      if (row === undefined || row.ended_at !== null) return 'it has ended';
      const { mode, says } = await modeOf(trx, inventory, zone);
      const begun = await trx
        .selectFrom('incident_events')
        .select('id')
        .where('incident', '=', id)
        .where('phase', '=', 'opened')
        .where('at', '>', new Date(Date.parse(now) - withinMs).toISOString())
        .execute();
      const held =
        mode === 'disarmed'
          ? says
          : begun.length >= beginnings
            ? `it was ended from outside ${begun.length} times within an hour`
            : null;
      if (held === null) return null;
      const waits = `its workflow was ended from outside, and nobody begins it again now (${held}): \`drover host recover ${host}\` does`;
      await writeLines(trx, now, id, [
        { id: `${id}/${mode}/${begun.at(-1)?.id ?? ''}`, phase: 'left', says: waits },
      ]);
      await trx.updateTable('incidents').set({ waits_for: waits }).where('id', '=', id).execute();
      return waits;
    });
    if (why === null) lost.push({ incident: id, host, by });
  }
  return lost;
}
