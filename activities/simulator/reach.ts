/** The way of a call to a host: delays, silence, refusals and lost answers. */
import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Tx } from './database.js';
import type { Datacenter } from './datacenter.js';
import { strike } from './faults.js';
import { findHost, type HostRow } from './hosts.js';

/** What a host that is off lets one wait before the network says so. */
export const noRouteMs = 3_000;

/** What the host did, or how the call came to nothing; `afterMs` is how long the caller waits for it. */
type Outcome<T> = { done: T } | { error: DroverError; afterMs: number } | { slowMs: number };

/** Does `work` on the host, if it can be reached within the limit. A refusal by `work` is an answer, too. */
export async function callHost<T>(
  datacenter: Datacenter,
  host: HostRef,
  call: { name: string; limitMs: number },
  work: (tx: Tx, host: HostRow) => T,
): Promise<T> {
  let slept = false;
  for (;;) {
    const outcome = await datacenter.transact((tx): Outcome<T> => {
      const found = findHost(tx, hostOf(datacenter, host));
      const silent = whySilent(host, found, call.limitMs);
      if (silent !== null || found === undefined) return silent ?? gone(host, call.limitMs);
      if (found.call_ms > 0 && !slept) return { slowMs: found.call_ms };
      const struck = strike(tx, call.name, found.name);
      if (struck?.kind === 'fail') {
        const details = { host: host.name };
        const error = new DroverError('HypervisorError', `${host.name}: ${struck.message}`, { details });
        return { error, afterMs: 0 };
      }
      try {
        const done = work(tx, found);
        return struck === null ? { done } : { error: lost(host), afterMs: 0 };
      } catch (error) {
        // Refused before it changed anything: what the call counted stays counted.
        if (error instanceof DroverError) return { error, afterMs: 0 };
        throw error;
      }
    });
    if ('done' in outcome) return outcome.done;
    if ('error' in outcome) {
      if (outcome.afterMs > 0) await datacenter.clock.sleep(outcome.afterMs, datacenter.closed);
      throw outcome.error;
    }
    slept = true;
    if (outcome.slowMs >= call.limitMs) {
      await datacenter.clock.sleep(call.limitMs, datacenter.closed);
      throw overdue(host, call.limitMs);
    }
    await datacenter.clock.sleep(outcome.slowMs, datacenter.closed);
  }
}

/** The host's name in its datacenter, of `sim://<datacenter>/<host>`. */
export function hostOf(datacenter: Datacenter, { uri }: HostRef): string {
  const { datacenter: named, host } = parseUri(uri);
  if (named === datacenter.name) return host;
  throw new DroverError('InvalidInput', `${uri} is not in the datacenter ${datacenter.name}`);
}

function parseUri(uri: string): { datacenter: string; host: string } {
  const [, datacenter, host] = /^sim:\/\/([a-z][a-z0-9-]{0,30})\/([A-Za-z0-9.-]+)$/.exec(uri) ?? [];
  if (datacenter === undefined || host === undefined) {
    throw new DroverError('InvalidInput', `"${uri}" is no address of a simulated host`, {
      hint: 'it is sim://<datacenter>/<host>, such as sim://sim/host-1',
    });
  }
  return { datacenter, host };
}

export function whySilent(
  ref: HostRef,
  host: HostRow | undefined,
  limitMs: number,
): { error: DroverError; afterMs: number } | null {
  if (host === undefined || host.power !== 'on') return gone(ref, limitMs);
  if (host.cut === 1 || host.hung === 1 || host.daemon === 2)
    return { error: overdue(ref, limitMs), afterMs: limitMs };
  if (host.daemon === 1) return null;
  return {
    error: unreachable(ref, 'failed to connect to the hypervisor: Connection refused'),
    afterMs: 0,
  };
}

const gone = (ref: HostRef, limitMs: number): { error: DroverError; afterMs: number } => ({
  error: unreachable(ref, 'failed to connect to the hypervisor: No route to host'),
  afterMs: Math.min(noRouteMs, limitMs),
});

const lost = (ref: HostRef): DroverError =>
  unreachable(ref, 'End of file while reading data: Input/output error');

function overdue(ref: HostRef, limitMs: number): DroverError {
  const message = `${ref.name} (${ref.uri}) did not answer within ${limitMs / 1000} s`;
  return new DroverError('HypervisorUnreachable', message, { details: { host: ref.name } });
}

function unreachable(ref: HostRef, why: string): DroverError {
  return new DroverError('HypervisorUnreachable', `${ref.name}: ${why}`, { details: { host: ref.name } });
}
