/** How a datacenter is, for whoever runs the simulation. */
import type { BmcState } from './bmc-states.js';
import type { Tx } from './database.js';
import { allHosts, defaultLink, type HostRow } from './hosts.js';

export interface HostStatus {
  name: string;
  uri: string;
  rack: string;
  zone: string;
  /** `up`, `booting`, `off`, `hung`, `cut off`, `no libvirtd`, `libvirtd hangs`. */
  state: string;
  /** Hosts that it does not reach, beside being cut off from all. */
  cutFrom: string[];
  /** What each call takes longer, in seconds; and MiB per second for migrations where they are limited. */
  slowSeconds: number;
  bandwidth: number | null;
  /** `ok`, or what is wrong with its BMC. */
  bmc: BmcState;
  guests: number;
  running: number;
  migrationsOut: number;
  migrationsIn: number;
}

/** A fault of calls that waits for them, or a fault that comes at a time. */
export interface PendingFault {
  at: string | null;
  what: Record<string, unknown>;
}

export function hostStatuses(tx: Tx, datacenter: string): HostStatus[] {
  const guests = counts(tx, 'select host as name, count(*) as count from guests group by host');
  const running = counts(
    tx,
    `select host as name, count(*) as count from guests where power in ('running', 'paused') group by host`,
  );
  const out = counts(
    tx,
    'select source as name, count(*) as count from migrations where ended_at is null group by source',
  );
  const into = counts(
    tx,
    'select target as name, count(*) as count from migrations where ended_at is null group by target',
  );
  const cuts = tx.all<{ one: string; other: string }>('select one, other from cuts order by one, other');
  return allHosts(tx).map((host) => ({
    name: host.name,
    uri: `sim://${datacenter}/${host.name}`,
    rack: host.rack,
    zone: host.zone,
    state: stateOf(host),
    cutFrom: cuts.filter(({ one }) => one === host.name).map(({ other }) => other),
    slowSeconds: host.call_ms / 1000,
    bandwidth: host.link === defaultLink ? null : host.link / 1024 ** 2,
    bmc: host.bmc,
    guests: guests.get(host.name) ?? 0,
    running: running.get(host.name) ?? 0,
    migrationsOut: out.get(host.name) ?? 0,
    migrationsIn: into.get(host.name) ?? 0,
  }));
}

export function pendingFaults(tx: Tx): PendingFault[] {
  const calls = tx.all<Record<string, string | number | null>>(
    'select kind, call, host, remaining as nth, times from faults order by id',
  );
  const planned = tx.all<{ at: number; data: string }>(
    `select at, data from events where kind = 'fault' order by at, seq`,
  );
  return [
    ...calls.map(({ kind, ...what }) => ({ at: null, what: { do: kind, ...what } })),
    ...planned.map(({ at, data }) => ({
      at: new Date(at).toISOString(),
      what: JSON.parse(data) as Record<string, unknown>,
    })),
  ];
}

function stateOf(host: HostRow): string {
  if (host.power !== 'on') return host.power;
  if (host.hung === 1) return 'hung';
  if (host.cut === 1) return 'cut off';
  if (host.daemon === 2) return 'libvirtd hangs';
  return host.daemon === 1 ? 'up' : 'no libvirtd';
}

const counts = (tx: Tx, sql: string): Map<string, number> =>
  new Map(tx.all<{ name: string; count: number }>(sql).map(({ name, count }) => [name, count]));
