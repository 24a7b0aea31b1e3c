/** The log of a recovery as it goes on, for whoever waits for it. */
import { listIncidentEvents, listIncidents } from '../activities/inventory/incidents.js';
import type { Context } from './context.js';

/** Answers what is new since it was asked last. */
export function newsOf({ inventory }: Pick<Context, 'inventory'>, host: string): () => Promise<string[]> {
  let incident: string | undefined;
  let told = 0;
  return async () => {
    const [newest] = await listIncidents(inventory, { host, limit: 1 });
    if (newest === undefined) return [];
    // What an earlier one has told is no news.
    if (incident === undefined && newest.endedAt !== null) return [];
    if (newest.id !== incident) told = 0;
    incident = newest.id;
    const lines = await listIncidentEvents(inventory, incident);
    const fresh = lines.slice(told).map(({ phase, says }) => `${host}: ${phase}: ${says}`);
    told = lines.length;
    return fresh;
  };
}
