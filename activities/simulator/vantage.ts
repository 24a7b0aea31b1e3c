/** What a vantage point of a simulated datacenter sees; it can be cut off from hosts, and from all of them. */
import type { HostRef } from '../../model/host.js';
import type { Signal } from '../../model/incident.js';
import type { Implement, VantageActivities } from '../types.js';
import { createVantageActivities, type Reach } from '../vantage/activities.js';
import type { Tx } from './database.js';
import type { Datacenter } from './datacenter.js';
import { findHost, requireHost } from './hosts.js';
import { hostOf, noRouteMs, whySilent } from './reach.js';

/** As long as the real ones take to give up. */
const hypervisorMs = 5_000;
const networkMs = 4_000;
/** In `blind`: the vantage point sees no host at all. */
const all = '*';

export const createSimulatedVantage = (
  datacenter: Datacenter,
  vantage: string,
): Implement<VantageActivities> =>
  createVantageActivities({ vantage, reach: reachOf(datacenter, vantage), clock: datacenter.clock });

export function blind(tx: Tx, vantage: string, hosts: readonly string[] | null): void {
  for (const host of hosts ?? []) requireHost(tx, host);
  for (const host of hosts ?? [all])
    tx.run('insert into blind (vantage, host) values (?, ?) on conflict do nothing', vantage, host);
}

/** It sees these hosts again, or all of them. */
export function unblind(tx: Tx, vantage: string, hosts: readonly string[] | null): void {
  if (hosts === null) return tx.run('delete from blind where vantage = ?', vantage);
  for (const host of hosts) tx.run('delete from blind where vantage = ? and host = ?', vantage, host);
}

const isBlind = (tx: Tx, vantage: string, host: string): boolean =>
  tx.one('select 1 from blind where vantage = ? and host in (?, ?)', vantage, host, all) !== undefined;

function reachOf(datacenter: Datacenter, vantage: string): Reach {
  const seen = (ref: HostRef, look: (tx: Tx, host: string) => Seen): Promise<Seen> =>
    datacenter.transact((tx) => {
      const host = hostOf(datacenter, ref);
      return isBlind(tx, vantage, host) ? { why: `${ref.name} does not answer`, ms: null } : look(tx, host);
    });

  async function ask(signal: Signal['signal'], ms: number, found: Seen): Promise<Signal> {
    await datacenter.clock.sleep(Math.min(found.ms ?? ms, ms), datacenter.closed);
    return found.why === null
      ? { signal, seen: 'answers', detail: `it answers ${vantage}` }
      : { signal, seen: 'silent', detail: found.why };
  }
  return {
    hypervisor: async (ref) =>
      ask(
        'hypervisor',
        hypervisorMs,
        await seen(ref, (tx, host) => {
          const row = findHost(tx, host);
          const silent = whySilent(ref, row, hypervisorMs);
          if (silent !== null) return { why: silent.error.message, ms: silent.afterMs };
          const slow = row?.call_ms ?? 0;
          return { why: slow >= hypervisorMs ? `${ref.name} did not answer in time` : null, ms: slow };
        }),
      ),
    network: async (ref) =>
      ask(
        'network',
        networkMs,
        await seen(ref, (tx, host) => {
          const row = findHost(tx, host);
          if (row?.power !== 'on') return { why: `${ref.name}: No route to host`, ms: noRouteMs };
          if (row.hung === 1 || row.cut === 1) return { why: `${ref.name} does not answer`, ms: null };
          return { why: null, ms: 0 };
        }),
      ),
  };
}

/** `why` it is silent, or null; and after how long one knows, null for the whole limit. */
interface Seen {
  why: string | null;
  ms: number | null;
}
