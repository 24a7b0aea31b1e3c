import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Call } from '../types.js';
import type { HypervisorDeps, Quarantined } from './deps.js';
import { isFenced } from './fenced.js';

/** Hosts asked at a time: each is a client process of its own. */
const AT_A_TIME = 16;

/** Asks every host. Each has the port's limit of a few seconds, so dead ones don't keep the others waiting. */
export async function probeHosts(
  { hypervisor, inventory, quarantine }: HypervisorDeps,
  call: Call,
): Promise<{ up: string[]; unknown: { host: string; reason: string }[]; quarantined?: Quarantined[] }> {
  const quarantined: Quarantined[] = [];
  const up: string[] = [];
  const unknown: { host: string; reason: string }[] = [];

  async function probe(host: HostRef): Promise<void> {
    try {
      const facts = await hypervisor.facts(host);
      await inventory.recordProbe(host.name, { up: true, facts });
      up.push(host.name);
      await compare(host);
    } catch (error) {
      // A failure of the inventory says nothing of the host.
      if (!(error instanceof DroverError) || error.code === 'InventoryUnavailable') throw error;
      const back = isFenced(error) ? await quarantine?.(host) : null;
      if (back) {
        quarantined.push(back);
        return;
      }
      await inventory.recordProbe(host.name, { up: false, reason: error.message });
      unknown.push({ host: host.name, reason: error.message });
    }
    call.heartbeat({ phase: 'probing', up: up.length, unknown: unknown.length });
  }

  /** The power of guests on which nothing runs; a host that falls silent meanwhile is the next probe's. */
  async function compare(host: HostRef): Promise<void> {
    const expected = await inventory.expectedPowers(host.name);
    if (expected.length === 0) return;
    try {
      await inventory.recordPowers(host.name, expected, await hypervisor.powers(host));
    } catch (error) {
      if (!(error instanceof DroverError) || error.code === 'InventoryUnavailable') throw error;
    }
  }

  const queue = [...(await inventory.hosts())];
  const worker = async (): Promise<void> => {
    for (let host = queue.shift(); host !== undefined; host = queue.shift()) await probe(host);
  };
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, queue.length) }, worker));
  const byHost = (one: { host: string }, other: { host: string }) => one.host.localeCompare(other.host);
  return {
    up: up.toSorted(),
    unknown: unknown.toSorted(byHost),
    ...(quarantined.length === 0 ? {} : { quarantined: quarantined.toSorted(byHost) }),
  };
}
