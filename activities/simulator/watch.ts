import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { GuestEvent } from '../hypervisor/port.js';
import type { Tx } from './database.js';
import type { Datacenter } from './datacenter.js';
import { heardSince, lastHeard } from './heard.js';
import { allHosts } from './hosts.js';
import { callHost } from './reach.js';

const pollMs = 1_000;
const limitMs = 8_000;

interface Watcher {
  host: string;
  seq: number;
  tell(event: GuestEvent): void;
  lost(): void;
}

/** Who watches in this process: one look at the datacenter serves them all. */
const watching = new WeakMap<Datacenter, Set<Watcher>>();

/** As `virsh event`: from now on, until the host is lost. */
export async function watchGuests(
  datacenter: Datacenter,
  host: HostRef,
  tell: (event: GuestEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const call = { name: 'watch', limitMs };
  const begun = await callHost(datacenter, host, call, (tx, at) => ({
    host: at.name,
    seq: lastHeard(tx, at.name),
  }));
  const watchers = watching.get(datacenter) ?? new Set();
  watching.set(datacenter, watchers);
  await new Promise<void>((enough, fail) => {
    const watcher: Watcher = {
      ...begun,
      tell,
      lost: () =>
        fail(new DroverError('HypervisorUnreachable', `${host.name}: Disconnected from the hypervisor`)),
    };
    const end = (): void => {
      watchers.delete(watcher);
      enough();
    };
    if (signal.aborted || datacenter.closed.aborted) return end();
    signal.addEventListener('abort', end, { once: true });
    watchers.add(watcher);
    if (watchers.size === 1) void poll(datacenter, watchers).catch(fail);
  });
}

async function poll(datacenter: Datacenter, watchers: Set<Watcher>): Promise<void> {
  const { clock, closed } = datacenter;
  while (watchers.size > 0) {
    await clock.sleep(pollMs, closed);
    if (closed.aborted) return endAll(watchers);
    const told = await datacenter.transact((tx) => look(tx, watchers)).catch(() => []);
    for (const { watcher, events } of told) {
      if (!watchers.has(watcher)) continue;
      for (const { seq, event } of events ?? []) {
        watcher.seq = seq;
        watcher.tell(event);
      }
      if (events !== null) continue;
      watchers.delete(watcher);
      watcher.lost();
    }
  }
}

const endAll = (watchers: Set<Watcher>): void => {
  for (const watcher of watchers) watcher.lost();
  watchers.clear();
};

/** What each has not heard yet; null for one whose host does not answer any more. */
function look(tx: Tx, watchers: Set<Watcher>) {
  const up = new Set(
    allHosts(tx)
      .filter(({ power, daemon, hung, cut }) => power === 'on' && daemon === 1 && hung === 0 && cut === 0)
      .map(({ name }) => name),
  );
  return [...watchers].map((watcher) => ({
    watcher,
    events: up.has(watcher.host) ? heardSince(tx, watcher.host, watcher.seq) : null,
  }));
}
