/** Who is brought back, and in which order: by HA priority, the members of a group one after the other. */
import { haPolicies, type HaPolicy } from '../../model/incident.js';
import { read, type Inventory } from '../inventory/database.js';
import { requireHost } from '../inventory/hosts.js';
import type { InstanceRow } from '../inventory/schema.js';
import type { Casualty } from './types.js';

type Known = Pick<
  InstanceRow,
  'id' | 'name' | 'ha_policy' | 'state' | 'server_group' | 'locked' | 'locked_by' | 'lock_reason'
> & { terminate_due?: string | null };

export const casualties = (
  inventory: Inventory,
  { host }: { host: string },
): Promise<{ casualties: Casualty[] }> =>
  read(inventory, async (db) => {
    await requireHost(db, host);
    const rows = await db
      .selectFrom('instances')
      .select([
        'id',
        'name',
        'ha_policy',
        'state',
        'server_group',
        'locked',
        'locked_by',
        'lock_reason',
        'terminate_due',
      ])
      .where('host', '=', host)
      .where('state', '<>', 'deleted')
      .execute();
    return { casualties: inOrder(rows) };
  });

export function inOrder(rows: readonly Known[]): Casualty[] {
  const first = new Map<string, number>();
  for (const row of rows) {
    if (row.server_group === null || row.ha_policy === 'never') continue;
    first.set(row.server_group, Math.min(first.get(row.server_group) ?? Infinity, rank(row.ha_policy)));
  }
  // A group comes when the first of its members does: those that must be together then find room together.
  const when = (row: Known): number =>
    row.ha_policy === 'never' || row.server_group === null
      ? rank(row.ha_policy)
      : (first.get(row.server_group) ?? rank(row.ha_policy));
  const key = (row: Known) =>
    [when(row), row.server_group ?? `~${row.name}`, rank(row.ha_policy), row.name, row.id] as const;
  return rows
    .map((row) => ({ row, key: key(row) }))
    .toSorted((one, other) => compare(one.key, other.key))
    .map(({ row }) => casualtyOf(row));
}

function casualtyOf(row: Known): Casualty {
  const { id: instance, name, ha_policy: ha, state } = row;
  return {
    instance,
    name,
    ha,
    state,
    skip: skipped(row),
    tell: row.locked === 1 && ha !== 'never' ? lockedText(row) : null,
  };
}

/** Why it is not brought back. */
function skipped({ ha_policy: ha, terminate_due: due }: Known): string | null {
  if (due) return 'somebody has asked to terminate it: the janitor does that now';
  return ha === 'never' ? 'its HA policy is never: it stays where it is until its host is readmitted' : null;
}

const lockedText = ({ locked_by: by, lock_reason: reason }: Known): string =>
  `locked${by === null ? '' : ` by ${by}`}${reason === null ? '' : `: ${reason}`}; evacuated all the same, since that rescues it`;

const order: readonly HaPolicy[] = ['1', '2', '3', '4', '5', 'best-effort', 'never'];
const rank = (ha: HaPolicy): number => (order.includes(ha) ? order.indexOf(ha) : haPolicies.length);

function compare(one: readonly (number | string)[], other: readonly (number | string)[]): number {
  for (const [index, value] of one.entries()) {
    const against = other[index];
    if (against === undefined || value === against) continue;
    return value < against ? -1 : 1;
  }
  return 0;
}
