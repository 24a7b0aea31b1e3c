import type { Recovered } from '../../model/incident.js';
import type { Trx } from '../inventory/database.js';

/**
 * Ids of what was evacuated from the host since it was lost: as its incidents tell, and as the evacuations themselves
 * do, since an incident that is still open has not told yet.
 */
export async function evacuatedFrom(db: Trx, host: string): Promise<string[]> {
  const incidents = await db
    .selectFrom('incidents')
    .select(['instances', 'opened_at'])
    .where('host', '=', host)
    .where('readmitted_at', 'is', null)
    .orderBy('opened_at')
    .execute();
  const [first] = incidents;
  if (first === undefined) return [];
  const told = incidents
    .flatMap(({ instances }) => JSON.parse(instances) as Recovered[])
    .filter(({ outcome }) => outcome === 'evacuated')
    .map(({ instance }) => instance);
  const done = await db
    .selectFrom('operations')
    .select(['instance', 'result'])
    .where('kind', '=', 'evacuate')
    .where('state', '=', 'succeeded')
    .where('started_at', '>=', first.opened_at)
    .execute();
  const moved = done.flatMap(({ instance, result }) => {
    const { from } = JSON.parse(result ?? '{}') as { from?: string };
    return instance !== null && from === host ? [instance] : [];
  });
  return [...new Set([...told, ...moved])];
}
