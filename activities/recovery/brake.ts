/**
 * The storm brake: how many hosts of a failure domain, and of the fleet, may be fenced within a window. Counting the fences
 * alone would fence the first hosts of a storm, so the hosts that are suspected at this moment count, too.
 */
import { formatDuration } from '../../model/duration.js';
import { DroverError } from '../../model/errors.js';
import { maintenanceOf } from '../inventory/rows.js';
import { transact, type Inventory, type Trx } from '../inventory/database.js';
import { requireHost } from '../inventory/hosts.js';
import type { RecoveryDeps } from './deps.js';

type Taken = { granted: true } | { granted: false; says: string; suspects: string[] };

/**
 * Takes one fence, or says why not; repeated for an incident that has one, it answers the same. With `approvedBy` a
 * person lets it pass: it is taken and counts for those after it.
 */
export async function takeFence(
  { inventory, rules }: RecoveryDeps,
  { incident, host, approvedBy }: { incident: string; host: string; approvedBy?: string | undefined },
): Promise<Taken> {
  return transact(inventory, async (trx) => {
    const mine = await trx
      .selectFrom('incidents')
      .select(['fence_taken_at', 'host'])
      .where('id', '=', incident)
      .executeTakeFirst();
    if (mine === undefined || mine.host !== host) {
      throw new DroverError('NotFound', `there is no incident ${incident} of ${host}`, {
        details: { incident, host },
        hint: 'list them with `drover incident list`',
      });
    }
    if (mine.fence_taken_at !== null) return { granted: true };
    const { zone } = await requireHost(trx, host);
    const others = await countedHosts(trx, { inventory, rules }, incident, host);
    const refusal = approvedBy === undefined ? refusalOf({ host, zone }, others, rules.budget) : undefined;
    if (refusal !== undefined) return refusal;
    await trx
      .updateTable('incidents')
      .set({ fence_taken_at: inventory.now() })
      .where('id', '=', incident)
      .execute();
    return { granted: true };
  });
}

interface Counted {
  host: string;
  /** Its zone; a host without one is a failure domain of its own. */
  domain: string;
  suspected: boolean;
}

function refusalOf(
  { host, zone }: { host: string; zone: string | null },
  others: Counted[],
  { zone: ofZone, fleet, windowSeconds }: RecoveryDeps['rules']['budget'],
): Extract<Taken, { granted: false }> | undefined {
  const near = others.filter((other) => other.domain === (zone ?? host));
  const tooNear = near.length + 1 > ofZone;
  const where = zone === null ? host : `zone ${zone}`;
  const over = [
    ...(tooNear ? [`number ${near.length + 1} of ${where}, which has ${ofZone}`] : []),
    ...(others.length + 1 > fleet ? [`number ${others.length + 1} of the fleet, which has ${fleet}`] : []),
  ];
  if (over.length === 0) return undefined;
  const counts = others.length + 1 > fleet ? others : near;
  const list = (what: string, of: Counted[]) =>
    of.length === 0 ? [] : [`${what} ${named(of.map((one) => one.host))}`];
  const told = [
    ...list(
      'fenced',
      counts.filter((other) => !other.suspected),
    ),
    ...list(
      'suspected now',
      counts.filter((other) => other.suspected),
    ),
  ];
  const says =
    `${host} would take fence ${over.join(', and ')} for ${formatDuration(windowSeconds)} (${told.join('; ')}): ` +
    `so many at once may have one cause, such as the network`;
  return { granted: false, says, suspects: counts.filter((one) => one.suspected).map((one) => one.host) };
}

const named = (names: string[]): string =>
  names.slice(0, 10).join(', ') + (names.length > 10 ? ` and ${names.length - 10} more` : '');

/** The other fences of the window, and the other hosts that are suspected now. */
async function countedHosts(
  trx: Trx,
  { inventory, rules }: RecoveryDeps,
  incident: string,
  host: string,
): Promise<Counted[]> {
  const since = new Date(Date.parse(inventory.now()) - rules.budget.windowSeconds * 1000).toISOString();
  const incidents = await trx
    .selectFrom('incidents')
    .select(['host', 'domain', 'fence_taken_at', 'ended_at'])
    .where('id', '<>', incident)
    .where((e) => e.or([e('fence_taken_at', '>', since), e('ended_at', 'is', null)]))
    .orderBy('host')
    .execute();
  const fences = incidents
    .filter(({ fence_taken_at: at }) => at !== null && at > since)
    .map((one) => ({ host: one.host, domain: one.domain || one.host, suspected: false }));
  const suspects = (await silentHosts(trx, inventory, incidents))
    .filter((one) => one.name !== host)
    .map(({ name, zone }) => ({ host: name, domain: zone ?? name, suspected: true }));
  return [...fences, ...suspects];
}

interface Open {
  host: string;
  fence_taken_at: string | null;
  ended_at: string | null;
}

/** Hosts that are silent or for which a recovery was asked, and of which nothing is settled yet. */
async function silentHosts(
  trx: Trx,
  inventory: Inventory,
  incidents: readonly Open[],
): Promise<{ name: string; zone: string | null }[]> {
  const rows = await trx
    .selectFrom('hosts')
    .select(['name', 'zone', 'state', 'enabled', 'last_seen_at'])
    .select(['maintenance_until', 'maintenance_by', 'maintenance_reason', 'maintenance_run'])
    .select((e) =>
      e
        .exists(
          e
            .selectFrom('instances')
            .select('id')
            .whereRef('instances.host', '=', 'hosts.name')
            .where('state', '<>', 'deleted'),
        )
        .as('used'),
    )
    .where('fence', 'is', null)
    .orderBy('name')
    .execute();
  return rows.filter((row) => {
    const open = incidents.find((one) => one.host === row.name && one.ended_at === null);
    if (open !== undefined) return open.fence_taken_at === null;
    // Taken out of service and empty: whoever did that knows of it, and it is nobody's alarm.
    const counts = row.enabled === 1 || Boolean(row.used);
    const seen = row.last_seen_at !== null;
    return row.state === 'unknown' && seen && counts && maintenanceOf(row, inventory) === null;
  });
}
