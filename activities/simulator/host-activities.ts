/** The work on the hosts themselves: what their own workers would do. */
import { DroverError } from '../../model/errors.js';
import { hostOfPlace } from '../../model/addresses.js';
import type { Call, HostActivities, Implement } from '../types.js';
import type { Datacenter } from './datacenter.js';
import { rebootHost } from './host-power.js';
import { bootIdOf, findHost, requireHost } from './hosts.js';
import { selfFenceOf } from './self-fence.js';
import { runOnHost } from './worker-of-host.js';

const everyMs = 1_000;

export function createSimulatedHostActivities(datacenter: Datacenter): Implement<HostActivities> {
  return {
    bootId: (_input, call) =>
      runOnHost(datacenter, 'bootId', call, (tx, host) => ({
        boot: bootIdOf(datacenter.name, requireHost(tx, host)),
      })),

    selfFence: (_input, call) =>
      runOnHost(datacenter, 'selfFence', call, (tx, host) => ({ armed: selfFenceOf(tx, host) })),

    async rebootHost({ boot }, call) {
      const begun = await runOnHost(datacenter, 'rebootHost', call, (tx, host) => {
        const now = bootIdOf(datacenter.name, requireHost(tx, host));
        if (now === boot) rebootHost(tx, host);
        return now;
      });
      return { boot: begun === boot ? await nextBoot(datacenter, boot, call) : begun };
    },
  };
}

/** The host's own worker would die with it; this one sees it come back. */
async function nextBoot(datacenter: Datacenter, boot: string, call: Call): Promise<string> {
  for (;;) {
    call.heartbeat({ phase: 'going down', boot });
    await datacenter.clock.sleep(everyMs, call.signal);
    if (call.signal.aborted) {
      const how = call.cancelRequested() ? 'cancelled' : 'stopped';
      throw new DroverError('Cancelled', `${how} while waiting for the host to go down`);
    }
    const now = await datacenter.transact((tx) => {
      const host = findHost(tx, hostOfPlace(call.host ?? ''));
      return host?.power === 'on' ? bootIdOf(datacenter.name, host) : boot;
    });
    if (now !== boot) return now;
  }
}
