/** A fenced host that answers: nothing is asked of it but whether it is itself, and who runs there. */
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { RecoveryRules } from '../../model/recovery.js';
import type { Quarantined } from '../hypervisor/deps.js';
import type { HostFacts, Hypervisor } from '../hypervisor/port.js';
import { read, transact, type Inventory, type Trx } from '../inventory/database.js';
import { recordProbe, requireHost } from '../inventory/hosts.js';
import { fenceOf, readmitRefusal } from '../inventory/readmit-refusal.js';
import { instanceOf } from '../inventory/rows.js';
import type { HostRow } from '../inventory/schema.js';
import { compare, isOff } from './return-list.js';
import { tellIncident } from './return-log.js';

interface Deps {
  inventory: Inventory;
  /** Not the one that refuses fenced hosts. */
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
  const guests = await orSilent(hypervisor.list(host));
  if (guests === null) return { answers: false, running: [] };
  const on = guests.filter((guest) => !isOff(guest));
  const ids = on.map(({ id }) => id);
  const rows =
    ids.length === 0
      ? []
      : await read(inventory, (db) =>
          db.selectFrom('instances').selectAll().where('id', 'in', ids).orderBy('name').execute(),
        );
  const { stale, here } = compare(host.name, on, rows.map(instanceOf));
  return {
    answers: true,
    running: [...stale, ...here.map((guest) => ({ ...guest, elsewhere: null }))].map(
      ({ instance, name, elsewhere }) => ({ instance, name, elsewhere }),
    ),
  };
}

export const twoCopiesText = (host: string, running: Seen['running']): string[] =>
  running
    .filter(({ elsewhere }) => elsewhere !== null)
    .map(({ name, elsewhere }) => `${name} runs on ${host}, and its instance is on ${elsewhere}`);

/** A readmission that failed is not tried again at every probe. */
const againMs = 600_000;

/**
 * Looks at a fenced host, and tells once in the log of its incident that it answers again, and what runs there that must
 * not. Null while it is silent, as it is to be.
 */
export async function probeFenced(
  deps: Deps & { rules: Pick<RecoveryRules, 'readmit' | 'moveBack'> },
  host: HostRef,
): Promise<Quarantined | null> {
  const { inventory, hypervisor, rules } = deps;
  const facts = await orSilent(hypervisor.facts(host));
  if (facts === null) return null;
  const other = await otherMachine(inventory, host.name, facts);
  const { running } = other === null ? await seenRunning(deps, { host }) : { running: [] };
  await recordProbe(inventory, host.name, { up: true, facts });
  const twoCopies = twoCopiesText(host.name, running);
  return transact(inventory, async (trx) => {
    const row = await requireHost(trx, host.name);
    const fence = fenceOf(row);
    if (fence === null) return null;
    const tell = (phase: string, says: string) =>
      tellIncident(trx, inventory, fence.incident, { phase, says });
    await tell('returned', other ?? `${host.name} answers again: it is quarantined until it is readmitted`);
    const todo = `end them: drover host readmit ${host.name}`;
    if (twoCopies.length > 0) await tell('two-copies', `two copies: ${twoCopies.join('; ')}; ${todo}`);
    const readmit =
      rules.readmit === 'auto' && other === null && (await isReady(trx, row, inventory.clock.now()));
    // A readmission ends them; whatever else holds it back, two may write to one disk meanwhile.
    const cut = twoCopies.length > 0 && !readmit ? { cut: host } : {};
    return { host: host.name, twoCopies, readmit, moveBack: rules.moveBack, ...cut };
  });
}

/** Its recovery has ended, nothing leaves it, and no readmission has failed just now. */
async function isReady(trx: Trx, row: HostRow, now: number): Promise<boolean> {
  if ((await readmitRefusal(trx, row)) !== undefined) return false;
  const incident = await trx
    .selectFrom('incidents')
    .select('ended_at')
    .where('id', '=', fenceOf(row)?.incident ?? '')
    .executeTakeFirst();
  if (incident?.ended_at === null) return false;
  const last = await trx
    .selectFrom('operations')
    .select('started_at')
    .where('kind', '=', 'readmit')
    .where('host', '=', row.name)
    .orderBy('started_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last === undefined || Date.parse(last.started_at) < now - againMs;
}

/** A name is not the machine: whatever else answers under it may have guests of its own. */
export async function otherMachine(
  inventory: Inventory,
  name: string,
  facts: HostFacts,
): Promise<string | null> {
  const { system_uuid: known } = await read(inventory, (db) => requireHost(db, name));
  if (known === null || known === facts.systemUuid) return null;
  return `what answers as ${name} is another machine: its system UUID is ${facts.systemUuid} (${facts.hostname}), that of ${name} was ${known}`;
}

async function orSilent<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DroverError && error.code !== 'InventoryUnavailable') return null;
    throw error;
  }
}
