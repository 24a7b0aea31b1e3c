import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import { systemClock } from '../clock.js';
import { stopWaiting } from '../host/stop-waiting.js';
import type { HostFacts } from '../hypervisor/port.js';
import type { Inventory } from '../inventory/database.js';
import { recordProbe } from '../inventory/hosts.js';
import type { Call, Implement } from '../types.js';
import type { ReturnDeps } from './deps.js';
import { claimKeptDisk, closeKeptDisk, diskSharers } from './kept-disks.js';
import { beginReadmission, closeReadmission, releaseFence } from './return-close.js';
import { cutOffAgain } from './return-cut.js';
import { claimStaleDisk, diskPlaces, perhapsStale } from './return-disks.js';
import { listReturned } from './return-list.js';
import { removeStale, stopAutostart } from './return-remove.js';
import { otherMachine, seenRunning } from './return-seen.js';
import type { ReturnActivities } from './return-types.js';

/** The activities that take a host back after it was fenced. */
export function createReturnActivities(deps: ReturnDeps): Implement<ReturnActivities> {
  return {
    beginReadmission: (input) => beginReadmission(deps, input),
    awaitReturn: (input, call) => awaitReturn(deps, input, call),
    releaseFence: (input) => releaseFence(deps, input),
    listReturned: (input) => listReturned(deps, input),
    removeStale: (input) => removeStale(deps, input),
    stopAutostart: (input) => stopAutostart(deps, input),
    diskPlaces: (input) => diskPlaces(deps.inventory, input),
    perhapsStale: (input) => perhapsStale(deps.inventory, input),
    diskSharers: (input) => diskSharers(deps.inventory, input),
    claimKeptDisk: (input) => claimKeptDisk(deps.inventory, input),
    closeKeptDisk: (input) => closeKeptDisk(deps.inventory, input),
    claimStaleDisk: (input) => claimStaleDisk(deps.inventory, input),
    closeReadmission: (input) => closeReadmission(deps, input),
    cutOffAgain: (input) => cutOffAgain(deps, input),
    seenRunning: (input) => seenRunning(deps, input),
  };
}

async function awaitReturn(
  { inventory, hypervisor, clock = systemClock, pollMs = 1000 }: ReturnDeps,
  { host, seconds }: { host: HostRef; seconds: number },
  call: Call,
): Promise<void> {
  const until = clock.now() + seconds * 1000;
  for (;;) {
    const facts = await hypervisor.facts(host).catch((error: unknown) => silent(error));
    if (!(facts instanceof DroverError)) {
      await requireSame(inventory, host.name, facts);
      await recordProbe(inventory, host.name, { up: true, facts });
      return;
    }
    if (clock.now() >= until) {
      throw new DroverError('TimedOut', `${host.name} did not answer within ${seconds} s: ${facts.message}`, {
        details: { host: host.name },
        hint: `turn it on, or let drover do it: drover host readmit ${host.name} --power-on`,
      });
    }
    call.heartbeat({ phase: 'waiting', reason: facts.message });
    await clock.sleep(pollMs, call.signal);
    if (call.signal.aborted) throw stopWaiting(call, `${host.name} to answer`);
  }
}

async function requireSame(inventory: Inventory, name: string, facts: HostFacts): Promise<void> {
  const other = await otherMachine(inventory, name, facts);
  if (other === null) return;
  throw new DroverError('HostReplaced', other, {
    details: { host: name, seen: facts.systemUuid, hostname: facts.hostname },
    hint: `nothing was changed on it; add it under a name of its own (drover host add), and keep ${name} fenced until it is back or its instances are gone`,
  });
}

/** What a host that boots may say before it is ready; a bug is no such thing. */
function silent(error: unknown): DroverError {
  if (error instanceof DroverError) return error;
  throw error;
}
