/** What was brought back from a lost host since its incident was opened, by the records: they outlive the workflow. */
import type { Incident, Recovered } from '../../model/incident.js';
import { read, type Inventory, type Trx } from './database.js';
import { operationOf } from './rows.js';

export const evacuatedSince = (
  inventory: Inventory,
  incident: Pick<Incident, 'host' | 'openedAt'>,
): Promise<Recovered[]> => read(inventory, (db) => evacuatedIn(db, incident));

/** In the order in which they came. */
export async function evacuatedIn(
  db: Trx,
  { host, openedAt }: Pick<Incident, 'host' | 'openedAt'>,
): Promise<Recovered[]> {
  const rows = await db
    .selectFrom('operations')
    .innerJoin('instances', 'instances.id', 'operations.instance')
    .selectAll('operations')
    .select(['instances.name', 'instances.ha_policy', 'instances.state as is_now'])
    .where('operations.kind', '=', 'evacuate')
    .where('operations.state', '=', 'succeeded')
    .where('operations.started_at', '>=', openedAt)
    .orderBy('operations.ended_at')
    .orderBy('operations.id')
    .execute();
  return rows.flatMap((row) => {
    const { result, instance } = operationOf(row);
    const { from, to, state, told } = (result ?? {}) as Partial<
      Record<'from' | 'to' | 'state' | 'told', string>
    >;
    if (from !== host || instance === null) return [];
    const name = row.name;
    return {
      instance,
      name,
      ha: row.ha_policy,
      was: state ?? row.is_now,
      outcome: 'evacuated' as const,
      host: to ?? null,
      says: told ?? '',
    };
  });
}
