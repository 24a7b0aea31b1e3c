import { DroverError } from '../../model/errors.js';
import { systemClock, type Clock } from '../clock.js';
import type { HypervisorDeps } from '../hypervisor/deps.js';
import type { HostWaitActivities, Implement } from '../types.js';
import { stopWaiting } from './stop-waiting.js';

interface Deps {
  hypervisor: Pick<HypervisorDeps['hypervisor'], 'facts'>;
  inventory: Pick<HypervisorDeps['inventory'], 'recordProbe'>;
  clock?: Clock;
  pollMs?: number;
}

/** Waits by asking the host itself, so that it is known as up at once and not only at the janitor's next round. */
export function createHostWaitActivities({
  hypervisor,
  inventory,
  clock = systemClock,
  pollMs = 1000,
}: Deps): Implement<HostWaitActivities> {
  return {
    async waitForHost({ host, seconds }, call) {
      const until = clock.now() + seconds * 1000;
      for (;;) {
        const facts = await hypervisor.facts(host).catch((error: unknown) => silent(error));
        if (!(facts instanceof DroverError)) {
          await inventory.recordProbe(host.name, { up: true, facts });
          return;
        }
        if (clock.now() >= until)
          throw new DroverError('TimedOut', facts.message, { details: { host: host.name } });
        call.heartbeat({ phase: 'waiting', reason: facts.message });
        await clock.sleep(pollMs, call.signal);
        if (call.signal.aborted) throw stopWaiting(call, `${host.name} to answer`);
      }
    },
  };
}

/** What a host that boots may say before it is ready; a bug is no such thing. */
function silent(error: unknown): DroverError {
  if (error instanceof DroverError) return error;
  throw error;
}
