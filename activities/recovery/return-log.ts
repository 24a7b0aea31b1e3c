import { randomUUID } from 'node:crypto';
import type { Inventory, Trx } from '../inventory/database.js';
import { toJson } from '../inventory/rows.js';

/**
 * A line of the incident of a host that came back. Said twice in a row it is one line: an activity runs again, and the
 * janitor looks every half a minute.
 */
export async function tellIncident(
  trx: Trx,
  inventory: Pick<Inventory, 'now'>,
  incident: string,
  line: { phase: string; says: string; details?: Record<string, unknown> },
  again: 'once' | 'always' = 'once',
): Promise<{ told: boolean }> {
  const of = trx.selectFrom('incident_events').where('incident', '=', incident);
  const last = await of
    .select('says')
    .where('phase', '=', line.phase)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (again === 'once' && last?.says === line.says) return { told: false };
  const newest = await of.select((e) => e.fn.max('seq').as('seq')).executeTakeFirst();
  await trx
    .insertInto('incident_events')
    .values({
      id: randomUUID(),
      incident,
      seq: (newest?.seq ?? 0) + 1,
      at: inventory.now(),
      phase: line.phase,
      says: line.says,
      details: toJson(line.details ?? {}),
    })
    .execute();
  return { told: true };
}
