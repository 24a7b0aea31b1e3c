/**
 * Hears what becomes of guests by themselves: one watch for each host that answers, begun again when it breaks. What is
 * heard is settled by an ordinary repair of the instance, and a restart that its policy wants by an ordinary start.
 * Several workers may hear the same: the workflow id admits one. What nobody heard the janitor finds.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { GuestEvent, Hypervisor } from '../activities/hypervisor/port.js';
import type { Inventory } from '../activities/inventory/database.js';
import { noteGuestEvent } from '../activities/inventory/guest-events.js';
import { listHosts } from '../activities/inventory/hosts.js';
import { getInstance } from '../activities/inventory/instances.js';
import type { HostRef } from '../model/host.js';
import { stateSentence } from '../model/instance.js';

export interface Observer {
  hypervisor: Hypervisor;
  inventory: Inventory;
  /** Starts an operation on an instance and waits for its end; null when another one runs. */
  operate: (operation: string, instance: string, by: string) => Promise<Record<string, unknown> | null>;
  log: { info(text: string): void; warn(text: string): void };
  pace?: Partial<typeof usualPace>;
}

const usualPace = {
  /** Hosts come, go, and answer again. */
  hostsEveryMs: 10_000,
  firstRetryMs: 1_000,
  mostRetryMs: 60_000,
  /** An operation that is about to end closes its record first. */
  settleMs: 500,
};

/** Runs until `ended` is aborted. */
export async function observe(observer: Observer, ended: AbortSignal): Promise<void> {
  const pace = { ...usualPace, ...observer.pace };
  const following = new Map<string, { stop: AbortController; done: Promise<void> }>();
  while (!ended.aborted) {
    const hosts = await upHosts(observer);
    for (const [name, { stop }] of following) {
      if (hosts !== null && !hosts.some((host) => host.name === name)) stop.abort();
    }
    for (const host of hosts ?? []) {
      if (following.has(host.name)) continue;
      const stop = new AbortController();
      const signal = AbortSignal.any([ended, stop.signal]);
      const done = follow(observer, pace, host, signal).finally(() => following.delete(host.name));
      following.set(host.name, { stop, done });
    }
    await delay(pace.hostsEveryMs, undefined, { signal: ended }).catch(() => undefined);
  }
  await Promise.all([...following.values()].map(({ done }) => done));
}

/** Null when the inventory is away: what is followed goes on. */
async function upHosts({ inventory, log }: Observer): Promise<HostRef[] | null> {
  try {
    return (await listHosts(inventory, { state: 'up' }))
      .filter(({ fence }) => fence === null)
      .map(({ name, uri }) => ({ name, uri }));
  } catch (error) {
    log.warn(`the hosts to watch could not be listed: ${textOf(error)}`);
    return null;
  }
}

async function follow(
  observer: Observer,
  pace: typeof usualPace,
  host: HostRef,
  signal: AbortSignal,
): Promise<void> {
  let wait = pace.firstRetryMs;
  while (!signal.aborted) {
    const begun = Date.now();
    try {
      await observer.hypervisor.watch(
        host,
        (event) => void heard(observer, pace, host, event, signal),
        signal,
      );
    } catch (error) {
      observer.log.info(`the guests of ${host.name} are not watched for a while: ${textOf(error)}`);
    }
    if (Date.now() - begun > pace.mostRetryMs) wait = pace.firstRetryMs;
    await delay(wait, undefined, { signal }).catch(() => undefined);
    wait = Math.min(2 * wait, pace.mostRetryMs);
  }
}

/** Never throws: nobody waits for it. */
async function heard(
  { inventory, operate, log }: Observer,
  pace: typeof usualPace,
  host: HostRef,
  event: GuestEvent,
  signal: AbortSignal,
): Promise<void> {
  try {
    await delay(pace.settleMs, undefined, { signal });
    const found = await noteGuestEvent(inventory, host.name, event);
    if (found === null) return;
    const { instance, name, state } = found;
    const result = await operate('instance.repair', instance, 'observer');
    // Another worker heard the same: its repair runs, or has told already what this one found so.
    if (result === null || typeof result['note'] !== 'string') return;
    const now = await getInstance(inventory, instance);
    log.warn(`${stateSentence(name, state, now.state, 'observer')}: ${result['note']}`);
    if (result['restart'] !== 'due') return;
    if ((await operate('instance.start', instance, 'restart-policy')) !== null)
      log.warn(stateSentence(name, now.state, 'active', 'restart-policy'));
  } catch (error) {
    if (!signal.aborted)
      log.warn(`what ${host.name} told (${event.detail}) was not settled: ${textOf(error)}`);
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
