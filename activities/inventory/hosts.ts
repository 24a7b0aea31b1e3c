import { datacenterOf } from '../../model/addresses.js';
import { DroverError } from '../../model/errors.js';
import type { Host, HostCpu, HostRef } from '../../model/host.js';
import { read, transact, type Inventory, type Trx } from './database.js';
import { refreshUsage } from './host-usage.js';
import { suggestion } from './no-such.js';
import { flag, hostOf, hostRefOf, jsonOrNull, toJson } from './rows.js';
import type { HostRow } from './schema.js';

export interface NewHost extends HostRef {
  /** Live migrations (in or out) at a time. */
  slots: number;
  cpuOvercommit: number;
  memoryMiBReserved: number;
  labels: Record<string, string>;
  zone?: string | null | undefined;
  /** Shared stores by name, and where they are mounted. */
  storage?: Record<string, string> | undefined;
}

/** What a host says of itself; memory in MiB. */
export interface ProbeFacts {
  hostname: string;
  systemUuid: string;
  vcpus: number;
  memoryMiB: number;
  hypervisor: string;
  /** Null or absent where it could not be found out: what was known stays. */
  cpu?: HostCpu | null | undefined;
  networks?: string[] | null | undefined;
}
export type Probe = { up: true; facts: ProbeFacts } | { up: false; reason: string };

/** Adds a host; AlreadyExists when there is one of that name. Its state is unknown until the first probe. */
export async function addHost(inventory: Inventory, host: NewHost): Promise<void> {
  await transact(inventory, async (trx) => {
    const found = await trx
      .selectFrom('hosts')
      .select('uri')
      .where('name', '=', host.name)
      .executeTakeFirst();
    if (found !== undefined) {
      throw new DroverError('AlreadyExists', `there is a host "${host.name}" already, at ${found.uri}`, {
        details: { host: host.name, uri: found.uri },
      });
    }
    await upsert(trx, host, inventory.now());
  });
}

/** Adds a host, or changes the settings of one that is there: what a start with a configuration does. */
export async function putHost(inventory: Inventory, host: NewHost): Promise<void> {
  await transact(inventory, (trx) => upsert(trx, host, inventory.now()));
}

/** WrongState when a host can't be added since those that are there are of another kind. */
export const requireSameKind = (inventory: Inventory, host: HostRef): Promise<void> =>
  read(inventory, (db) => refuseOtherKind(db, host));

/** No guest moves live between them, so one inventory has hosts of one kind: of libvirt, or of one datacenter. */
async function refuseOtherKind(trx: Trx, host: HostRef): Promise<void> {
  const other = await trx
    .selectFrom('hosts')
    .select(['name', 'uri'])
    .where('name', '<>', host.name)
    .executeTakeFirst();
  if (other === undefined || datacenterOf(other.uri) === datacenterOf(host.uri)) return;
  const kind = (uri: string): string => {
    const datacenter = datacenterOf(uri);
    return datacenter === null ? 'a real host' : `a host of the simulated datacenter ${datacenter}`;
  };
  throw new DroverError(
    'WrongState',
    `${host.name} is ${kind(host.uri)}, and this inventory has ${other.name}, ${kind(other.uri)}: no guest could move between them`,
    {
      details: { host: host.name, uri: host.uri, other: other.name, otherUri: other.uri },
      hint: 'take another data folder for it (--data), or remove the other hosts first',
    },
  );
}

async function upsert(trx: Trx, host: NewHost, now: string): Promise<void> {
  await refuseOtherKind(trx, host);
  const settings = {
    uri: host.uri,
    slots: host.slots,
    cpu_overcommit: host.cpuOvercommit,
    memory_mib_reserved: host.memoryMiBReserved,
    labels: toJson(host.labels),
    ...(host.zone === undefined ? {} : { zone: host.zone }),
    ...(host.storage === undefined ? {} : { storage: toJson(host.storage) }),
  };
  const unprobed = {
    state: 'unknown' as const,
    state_reason: 'it was never probed',
    enabled: flag(true),
    disabled_reason: null,
    disabled_by: null,
    maintenance_until: null,
    maintenance_by: null,
    maintenance_reason: null,
    maintenance_run: null,
    system_uuid: null,
    hostname: null,
    hypervisor: null,
    vcpus: 0,
    memory_mib: 0,
    last_seen_at: null,
    created_at: now,
  };
  await trx
    .insertInto('hosts')
    .values({ name: host.name, ...settings, ...unprobed })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(settings))
    .execute();
  await refreshUsage(trx, [host.name]);
}

/** Records what a probe found. Facts of the last good probe stay while the host does not answer. */
export async function recordProbe(inventory: Inventory, host: string, probe: Probe): Promise<void> {
  const values = probe.up
    ? {
        state: 'up' as const,
        state_reason: null,
        last_seen_at: inventory.now(),
        hostname: probe.facts.hostname,
        system_uuid: probe.facts.systemUuid,
        vcpus: probe.facts.vcpus,
        memory_mib: probe.facts.memoryMiB,
        hypervisor: probe.facts.hypervisor,
        ...(probe.facts.cpu ? { cpu: jsonOrNull(probe.facts.cpu) } : {}),
        ...(probe.facts.networks ? { networks: toJson(probe.facts.networks) } : {}),
      }
    : { state: 'unknown' as const, state_reason: probe.reason };
  await transact(inventory, async (trx) => {
    const before = await requireHost(trx, host);
    // Which machine it was before it was fenced: a readmission compares with that.
    const same =
      before.fence !== null && before.system_uuid !== null ? { system_uuid: before.system_uuid } : {};
    await trx
      .updateTable('hosts')
      .set({ ...values, ...same })
      .where('name', '=', host)
      .execute();
    const resized =
      probe.up && (before.vcpus !== probe.facts.vcpus || before.memory_mib !== probe.facts.memoryMiB);
    if (resized) await refreshUsage(trx, [host]);
  });
}

/** Opens or closes a host for new instances; those it has stay. Answers how it was, for the undo. */
export async function setHostEnabled(
  inventory: Inventory,
  change: { host: string; enabled: boolean; reason: string | null; by: string },
): Promise<{ was: { enabled: boolean; reason: string | null } }> {
  return transact(inventory, async (trx) => writeEnabled(trx, await requireHost(trx, change.host), change));
}

export async function writeEnabled(
  trx: Trx,
  row: HostRow,
  change: { enabled: boolean; reason: string | null; by: string },
): Promise<{ was: { enabled: boolean; reason: string | null } }> {
  await trx
    .updateTable('hosts')
    .set({
      enabled: flag(change.enabled),
      disabled_reason: change.enabled ? null : change.reason,
      disabled_by: change.enabled ? null : change.by,
    })
    .where('name', '=', row.name)
    .execute();
  return { was: { enabled: row.enabled === 1, reason: row.disabled_reason } };
}

/** Forgets a host; refused while an instance is there or has a claim on it. */
export async function removeHost(inventory: Inventory, name: string): Promise<void> {
  await transact(inventory, async (trx) => {
    await requireHost(trx, name);
    const holders = await trx
      .selectFrom('instances')
      .leftJoin('allocations', 'allocations.instance', 'instances.id')
      .select('instances.name')
      .distinct()
      .where((or) => or.or([or('instances.host', '=', name), or('allocations.host', '=', name)]))
      .orderBy('instances.name')
      .execute();
    if (holders.length > 0) {
      const names = holders.map((holder) => holder.name);
      const shown = names.slice(0, 5).join(', ') + (names.length > 5 ? ', …' : '');
      throw new DroverError('HostBusy', `host ${name} is not empty, it has or awaits ${shown}`, {
        details: { host: name, instances: names },
        hint: `move them away first: drover host drain ${name}`,
      });
    }
    await trx.deleteFrom('host_usage').where('host', '=', name).execute();
    await trx.deleteFrom('hosts').where('name', '=', name).execute();
  });
}

export async function getHost(inventory: Inventory, name: string): Promise<Host> {
  await read(inventory, (db) => requireHost(db, name));
  const found = (await listHosts(inventory)).find((host) => host.name === name);
  if (found === undefined)
    throw new DroverError('NotFound', `host ${name} was removed just now`, { details: { host: name } });
  return found;
}

/** How to reach a host. */
export async function getHostRef(inventory: Inventory, name: string): Promise<HostRef> {
  return hostRefOf(await read(inventory, (db) => requireHost(db, name)));
}

export async function listHosts(
  inventory: Inventory,
  by: { name?: string | undefined; enabled?: boolean | undefined; state?: string | undefined } = {},
): Promise<Host[]> {
  const hosts = await read(inventory, (db) => hostsWithUsage(db, inventory));
  return hosts.filter(
    (host) =>
      (by.name === undefined || host.name === by.name) &&
      (by.enabled === undefined || host.enabled === by.enabled) &&
      (by.state === undefined || host.state === by.state),
  );
}

/** All hosts by name, with what is in use on each. */
export async function hostsWithUsage(db: Trx, clock: Pick<Inventory, 'now'>): Promise<Host[]> {
  const rows = await db
    .selectFrom('hosts')
    .leftJoin('host_usage as used', 'used.host', 'hosts.name')
    .leftJoin(
      (query) =>
        query
          .selectFrom('instances')
          .select((e) => ['host', e.fn.countAll().as('count')])
          .where('state', '<>', 'deleted')
          .groupBy('host')
          .as('living'),
      (join) => join.onRef('living.host', '=', 'hosts.name'),
    )
    .selectAll('hosts')
    .select(['used.vcpus_used', 'used.memory_mib_used', 'used.slots_used', 'living.count'])
    .orderBy('hosts.name')
    .execute();
  return rows.map((row) =>
    hostOf(
      row,
      {
        vcpus: row.vcpus_used ?? 0,
        memoryMiB: row.memory_mib_used ?? 0,
        slots: row.slots_used ?? 0,
        instances: Number(row.count ?? 0),
      },
      clock,
    ),
  );
}

export async function requireHost(db: Trx, name: string): Promise<HostRow> {
  const row = await db.selectFrom('hosts').selectAll().where('name', '=', name).executeTakeFirst();
  if (row !== undefined) return row;
  const names = await db.selectFrom('hosts').select('name').orderBy('name').execute();
  const guess = suggestion(
    name,
    names.map((other) => other.name),
  );
  throw new DroverError('NotFound', `there is no host "${name}"${guess}`, {
    details: { host: name },
    hint: 'list the hosts with `drover host list`',
  });
}
