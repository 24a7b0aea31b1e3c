import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Sighting } from '../types.js';
import type { HypervisorDeps } from './deps.js';
import { isFenced } from './fenced.js';
import type { Hypervisor } from './port.js';

export async function look(
  { hypervisor }: HypervisorDeps,
  input: { instance: string; hosts: HostRef[] },
): Promise<{ sightings: Sighting[] }> {
  return { sightings: await Promise.all(input.hosts.map((host) => sight(hypervisor, host, input.instance))) };
}

/** One host's word. A host that does not answer is an answer too: `unknown`, with the reason. */
async function sight(hypervisor: Hypervisor, host: HostRef, id: string): Promise<Sighting> {
  const nothing = { host: host.name, persistent: false, disks: [], job: null, error: null };
  try {
    const view = await hypervisor.look(host, id);
    if (view === null) return { ...nothing, power: 'absent' };
    const job = ['shutoff', 'crashed'].includes(view.power) ? null : await hypervisor.job(host, id);
    return {
      host: host.name,
      power: view.power,
      ...(view.postCopy === null ? {} : { postCopy: view.postCopy }),
      reason: view.reason,
      managedSave: view.managedSave,
      persistent: view.persistent,
      disks: view.disks,
      job,
      error: null,
    };
  } catch (error) {
    // Proven to run nothing; what is stored there is the readmission's.
    if (isFenced(error)) return { ...nothing, power: 'absent', fenced: true };
    if (!(error instanceof DroverError) || error.code === 'InvalidInput') throw error;
    return { ...nothing, power: 'unknown', error: error.message };
  }
}
