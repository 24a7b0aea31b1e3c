/** Incidents as they are shown, from the inventory alone. */
import type { Inventory } from '../activities/inventory/database.js';
import { listIncidentEvents, listIncidents } from '../activities/inventory/incidents.js';
import { evacuatedSince } from '../activities/inventory/evacuated.js';
import { DroverError } from '../model/errors.js';
import type { Incident, IncidentEvent } from '../model/incident.js';

export type IncidentView = Incident & { log: IncidentEvent[] };

/** `counts`: `12 evacuated, 1 failed`. */
export async function listIncidentViews(
  inventory: Inventory,
  by: { host?: string | undefined; open?: boolean | undefined },
): Promise<(Incident & { counts: string | null })[]> {
  const found = await listIncidents(inventory, by);
  return Promise.all(
    found.map(async (one) => {
      const { instances } = await soFar(inventory, one);
      return { ...one, instances, counts: countsOf(instances) };
    }),
  );
}

/** By its id, the first characters of it, or the name of its host: then the newest of that. */
export async function getIncidentView(inventory: Inventory, named: string): Promise<IncidentView> {
  const all = await listIncidents(inventory, { limit: 10_000 });
  const exact = all.find(({ id }) => id === named) ?? all.find(({ host }) => host === named);
  const begin = named.length >= shortest ? all.filter(({ id }) => id.startsWith(named)) : [];
  if (exact === undefined && begin.length > 1) {
    throw new DroverError('Ambiguous', `${begin.length} incidents begin with ${named}`, {
      details: { candidates: begin.map(({ id, host }) => ({ id, host })) },
    });
  }
  const found = exact ?? begin[0];
  if (found === undefined) {
    throw new DroverError('NotFound', `there is no incident ${named}, and none of a host with that name`, {
      details: { incident: named },
      hint: 'list them with `drover incident list`',
    });
  }
  return { ...(await soFar(inventory, found)), log: await listIncidentEvents(inventory, found.id) };
}

const shortest = 4;

/** While it runs its instances are those that have arrived somewhere by now. */
async function soFar(inventory: Inventory, incident: Incident): Promise<Incident> {
  if (incident.endedAt !== null) return incident;
  return { ...incident, instances: await evacuatedSince(inventory, incident) };
}

export function countsOf(instances: Incident['instances']): string | null {
  const counts = new Map<string, number>();
  for (const { outcome } of instances) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ') || null;
}
