/** What a vantage point of a simulated datacenter sees; it can be cut off from hosts, and from all of them. */
import type { HostRef } from '../../model/host.js';
import type { Signal } from '../../model/incident.js';
import type { Reach } from '../vantage/port.js';
import type { Tx } from './database.js';
import type { Datacenter } from './datacenter.js';
import { findHost } from './hosts.js';
import { hostOf, noRouteMs, whySilent } from './reach.js';
import { isBlind } from './sight.js';

/** As long as the real ones take to give up. */
const hypervisorMs = 5_000;
const networkMs = 4_000;

export function createSimulatedReach(datacenter: Datacenter, vantage: string): Reach {
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
