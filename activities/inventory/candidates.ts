/** Hosts as a placement needs them, read from the inventory: all of them, or only the few that can be the best. */
import { sql } from 'kysely';
import type { Inventory, Trx } from './database.js';
import { asksCpu } from './placement/cpu.js';
import { hostsOf } from './placement/group.js';
import type { Candidate, Wanted } from './placement/request.js';
import { storesOf } from './placement/storage.js';
import { hostOf } from './rows.js';
import type { HostRow } from './schema.js';

type Clock = Pick<Inventory, 'now'>;

/** Without what its processors are, which is most of a row and is rarely asked for. */
const columns = [
  ...(['name', 'uri', 'state', 'state_reason', 'enabled', 'disabled_reason', 'disabled_by'] as const),
  ...(['maintenance_until', 'maintenance_by', 'maintenance_reason', 'maintenance_run'] as const),
  ...(['zone', 'networks', 'storage', 'system_uuid', 'hostname', 'hypervisor', 'vcpus'] as const),
  ...(['cpu_overcommit', 'memory_mib', 'memory_mib_reserved', 'slots', 'labels'] as const),
  ...(['last_seen_at', 'created_at', 'reserved', 'control_plane', 'fence'] as const),
].map((column) => `hosts.${column}` as const);

const used = ['host_usage.vcpus_used', 'host_usage.memory_mib_used', 'host_usage.slots_used'] as const;

const withUsage = (db: Trx, cpu: boolean) =>
  db
    .selectFrom('host_usage')
    .innerJoin('hosts', 'hosts.name', 'host_usage.host')
    .select(columns)
    .select(used)
    .$if(cpu, (query) => query.select('hosts.cpu'));

type Row = Omit<HostRow, 'cpu' | 'armed' | 'fence_devices'> &
  Partial<Pick<HostRow, 'cpu'>> & { vcpus_used: number; memory_mib_used: number; slots_used: number };

function candidateOf(row: Row, clock: Clock): Candidate {
  const usage = { vcpus: row.vcpus_used, memoryMiB: row.memory_mib_used, slots: row.slots_used };
  return hostOf({ cpu: null, ...row }, { ...usage, instances: 0 }, clock);
}

/** Every host, by name; `only`: that one. */
export async function allCandidates(
  db: Trx,
  clock: Clock,
  { only = null, cpu = true }: { only?: string | null; cpu?: boolean } = {},
): Promise<Candidate[]> {
  const rows = await withUsage(db, cpu)
    .$if(only !== null, (query) => query.where('hosts.name', '=', only ?? ''))
    .orderBy('hosts.name')
    .execute();
  return rows.map((row) => candidateOf(row, clock));
}

/** Hosts with members, where the policy wants to be with them: then nothing is better than one of these. */
export function together({ subject: { group } }: Wanted): string[] {
  return group === null || group.policy.endsWith('anti-affinity') ? [] : hostsOf(group);
}

/**
 * The first `limit` hosts in the order of their room that may be of the best kind: all those with members where the
 * group belongs together, else those without, and that have the stores of the instance's disks. The database leaves out what the filters would refuse anyway;
 * what it can't tell exactly it lets pass, since the filters are asked again. Without a limit: all that may pass, of
 * whatever kind.
 */
export async function likelyCandidates(
  db: Trx,
  clock: Clock,
  wanted: Wanted,
  limit: number | null,
): Promise<Candidate[]> {
  const { group } = wanted.subject;
  const near = limit === null ? [] : together(wanted);
  const apart = limit !== null && group?.policy.endsWith('anti-affinity') === true ? hostsOf(group) : [];
  const stores = near.length > 0 || limit === null ? [] : storesOf(wanted);
  const direction = wanted.strategy === 'pack' ? 'asc' : 'desc';
  const texts = [
    ...Object.entries(wanted.where ?? {}).map(([key, value]) => ['hosts.labels', key, value] as const),
    ...stores.map(({ name, directory }) => ['hosts.storage', name, directory] as const),
  ];
  let query = withUsage(db, asksCpu(wanted))
    .where('hosts.enabled', '=', 1)
    .where('hosts.state', '=', 'up')
    .where('hosts.fence', 'is', null)
    .where((e) =>
      e.or([e('hosts.maintenance_until', 'is', null), e('hosts.maintenance_until', '<=', clock.now())]),
    )
    .where('host_usage.memory_mib_free', '>=', wanted.memoryMiB)
    .where('host_usage.vcpus_free', '>=', wanted.vcpus);
  if (wanted.reserved !== true) query = query.where('hosts.reserved', '=', 0);
  if (wanted.from !== null) query = query.whereRef('hosts.slots', '>', 'host_usage.slots_used');
  if (wanted.zone) query = query.where('hosts.zone', '=', wanted.zone);
  if (near.length > 0) query = query.where('host_usage.host', 'in', near);
  const not = [...wanted.exclude, ...apart, ...(wanted.from === null ? [] : [wanted.from])];
  if (not.length > 0) query = query.where('host_usage.host', 'not in', not);
  for (const [column, key, value] of texts) {
    // The row holds JSON that we wrote ourselves, so an entry stands there as this very text.
    const entry = `${JSON.stringify(key)}:${JSON.stringify(value)}`;
    query = query.where(sql<boolean>`${sql.ref(column)} like ${`%${pattern(entry)}%`} escape '!'`);
  }
  if (limit !== null) query = query.limit(Math.max(limit, near.length));
  const rows = await query
    .orderBy('hosts.reserved')
    .orderBy('host_usage.memory_mib_free', direction)
    .orderBy('host_usage.vcpus_free', direction)
    .orderBy('host_usage.host')
    .execute();
  return rows.map((row) => candidateOf(row, clock));
}

const pattern = (text: string): string => text.replaceAll(/[!%_]/g, (character) => `!${character}`);
