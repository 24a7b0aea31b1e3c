import type { HostRef } from '../../model/host.js';
import type { GuestEvent } from '../hypervisor/port.js';
import type { Datacenter } from './datacenter.js';
import { heardSince, lastHeard } from './heard.js';
import { callHost } from './reach.js';

const pollMs = 1_000;
const limitMs = 8_000;

/** As `virsh event`: from now on, until the host is lost. */
export async function watchGuests(
  datacenter: Datacenter,
  host: HostRef,
  tell: (event: GuestEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const call = { name: 'watch', limitMs };
  let seq = await callHost(datacenter, host, call, (tx, at) => lastHeard(tx, at.name));
  while (!signal.aborted) {
    await datacenter.clock.sleep(pollMs, signal);
    if (signal.aborted) return;
    for (const heard of await callHost(datacenter, host, call, (tx, at) => heardSince(tx, at.name, seq))) {
      seq = heard.seq;
      tell(heard.event);
    }
  }
}
