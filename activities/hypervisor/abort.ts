import { DroverError } from '../../model/errors.js';
import type { HostRef } from '../../model/host.js';
import type { Call, MigrateInput } from '../types.js';
import type { HypervisorDeps } from './deps.js';
import { isFenced } from './fenced.js';
import type { Hypervisor, JobView } from './port.js';

/** The job that moves the guest, on its source; `unknown` when the host does not answer. */
export async function currentJob(
  hypervisor: Hypervisor,
  host: HostRef,
  id: string,
): Promise<JobView | null | 'unknown'> {
  const job = await anyJob(hypervisor, host, id);
  return job === null || job === 'unknown' || job.migrates ? job : null;
}

/** As `currentJob`, but also one that is somebody else's. */
export async function anyJob(
  hypervisor: Hypervisor,
  host: HostRef,
  id: string,
): Promise<JobView | null | 'unknown'> {
  try {
    return await hypervisor.job(host, id);
  } catch (error) {
    // What is off for certain does nothing.
    if (isFenced(error)) return null;
    if (error instanceof DroverError) return 'unknown';
    throw error;
  }
}

/**
 * Aborts the job and waits until it is over, at most `patienceMs`. Answers whether that is proven. A client that
 * was just started may begin its job only after the first abort, so it is aborted for as long as there is one.
 */
export async function abortUntilEnded(
  { hypervisor, pace, clock }: HypervisorDeps,
  input: MigrateInput,
  call: Call,
  clientRuns: () => boolean = () => false,
): Promise<boolean> {
  const until = clock.now() + pace.patienceMs;
  while (clock.now() < until) {
    const job = await currentJob(hypervisor, input.source, input.instance);
    if (job === null && !clientRuns()) return true;
    // It runs on the target already: nobody can abort that, and nobody should want to.
    if (job !== null && job !== 'unknown' && job.postCopy) return false;
    if (job !== null && job !== 'unknown') {
      // A refused abort (the switch-over has begun) shows in the next look.
      await hypervisor.abortJob(input.source, input.instance).catch(() => undefined);
    }
    call.heartbeat({ phase: 'aborting' });
    // Not interrupted by the call's signal: it is aborted already when a cancel leads here.
    await clock.sleep(pace.pollMs);
  }
  return false;
}
