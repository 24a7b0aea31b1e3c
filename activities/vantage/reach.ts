import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Signal } from '../../model/incident.js';
import type { Hypervisor } from '../hypervisor/port.js';
import type { Reach } from './port.js';
import { askNetwork } from './network.js';

/** The ways from this machine to real hosts. */
export const reachFromHere = (hypervisor: Pick<Hypervisor, 'facts'>): Reach => ({
  hypervisor: (host) => askHypervisor(hypervisor, host),
  network: askNetwork,
});

/** What fails here, before anybody was asked: it says nothing of the host. */
const ours = /ENOENT|no connection driver available|not a valid URI|uri must/;

/** A refusal is an answer: whoever says no lives. */
async function askHypervisor(hypervisor: Pick<Hypervisor, 'facts'>, host: HostRef): Promise<Signal> {
  const told = (seen: Signal['seen'], detail: string): Signal => ({ signal: 'hypervisor', seen, detail });
  try {
    const { hypervisor: what } = await hypervisor.facts(host);
    return told('answers', what);
  } catch (error) {
    if (!(error instanceof DroverError)) return told('none', String(error));
    if (error.code === 'HypervisorUnreachable') return told('silent', error.message);
    return told(ours.test(error.message) ? 'none' : 'answers', error.message);
  }
}
