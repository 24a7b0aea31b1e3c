/** A fenced host that answers: nothing is asked of it but who runs there. */
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Hypervisor } from '../hypervisor/port.js';
import { read, transact, type Inventory } from '../inventory/database.js';
import { requireHost } from '../inventory/hosts.js';
import { fenceOf } from '../inventory/readmit-refusal.js';
import { compare, isOff } from './return-list.js';
import { tellIncident } from './return-log.js';
import { instanceOf } from '../inventory/rows.js';

interface Deps {
  inventory: Inventory;
  hypervisor: Hypervisor;
}

export interface Seen {
  answers: boolean;
  /** Those that run; `elsewhere` is where the inventory has its instance, null where it has it here or nowhere. */
  running: { instance: string; name: string; elsewhere: string | null }[];
}

export async function seenRunning(
  { inventory, hypervisor }: Deps,
  { host }: { host: HostRef },
): Promise<Seen> {
  const guests = await hypervisor.list(host).catch((error: unknown) => {
    if (error instanceof DroverError && error.code !== 'InventoryUnavailable') return null;
    throw error;
  });
  if (guests === null) return { answers: false, running: [] };
  const on = guests.filter((guest) => !isOff(guest));
  const rows = await read(inventory, (db) =>
    db
      .selectFrom('instances')
      .selectAll()
      .where('id', 'in', on.length === 0 ? [''] : on.map(({ id }) => id))
      .execute(),
  );
  const { stale, here } = compare(host.name, on, rows.map(instanceOf));
  return {
    answers: true,
    running: [...stale, ...here.map((guest) => ({ ...guest, elsewhere: null }))].map(
      ({ instance, name, elsewhere }) => ({ instance, name, elsewhere }),
    ),
  };
}

/** What a probe of a fenced host answers. */
export interface Quarantined {
  host: string;
  /** Sentences: guests that run here although their instances run elsewhere. */
  twoCopies: string[];
  /** It may be readmitted by rule: nothing is being evacuated from it, and its incident has ended. */
  ready: boolean;
}

/**
 * Looks at a fenced host, and tells once in the log of its incident that it answers again, and what runs there that must
 * not. Null while it is silent, as it is to be.
 */
export async function probeFenced(deps: Deps, host: HostRef): Promise<Quarantined | null> {
  const { inventory } = deps;
  const { answers, running } = await seenRunning(deps, { host });
  if (!answers) return null;
  const stale = running.filter(({ elsewhere }) => elsewhere !== null);
  const twoCopies = stale.map(
    ({ name, elsewhere }) => `${name} runs on ${host.name}, and its instance is on ${elsewhere}`,
  );
  return transact(inventory, async (trx) => {
    const row = await requireHost(trx, host.name);
    const fence = fenceOf(row);
    if (fence === null) return null;
    const { incident } = fence;
    const back = `${host.name} answers again: it is quarantined until it is readmitted`;
    await tellIncident(trx, inventory, incident, { phase: 'returned', says: back });
    if (twoCopies.length > 0)
      await tellIncident(trx, inventory, incident, {
        phase: 'two-copies',
        says: `two copies: ${twoCopies.join('; ')}`,
        details: { host: host.name, instances: stale.map(({ instance }) => instance) },
      });
    const open = await trx
      .selectFrom('incidents')
      .select('ended_at')
      .where('id', '=', incident)
      .executeTakeFirst();
    const leaving = await trx
      .selectFrom('instances')
      .select('id')
      .where('host', '=', host.name)
      .where('op_kind', '=', 'evacuate')
      .executeTakeFirst();
    const ready = open !== undefined && open.ended_at !== null && leaving === undefined;
    return { host: host.name, twoCopies, ready };
  });
}
