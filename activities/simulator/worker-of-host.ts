/** What stands for the worker of a simulated host: it is away when its host is. */
import { hostOfPlace } from '../../model/addresses.js';
import { DroverError } from '../../model/errors.js';
import type { Call } from '../types.js';
import type { Tx } from './database.js';
import type { Datacenter } from './datacenter.js';
import { strike } from './faults.js';
import { findHost } from './hosts.js';

/** A worker that does not run takes no task; the caller of a real one waits for this long. */
const missingMs = 20_000;
const pollMs = 1_000;

export interface OnHost {
  datacenter: Datacenter;
  /** Runs `work` where the host's worker would, under the name of the activity. */
  run<T>(name: string, call: Call, work: (tx: Tx, host: string) => T): Promise<T>;
}

export const hostRunner = (datacenter: Datacenter): OnHost => ({
  datacenter,
  run: (name, call, work) => runOnHost(datacenter, name, call, work),
});

export async function runOnHost<T>(
  datacenter: Datacenter,
  name: string,
  call: Call,
  work: (tx: Tx, host: string) => T,
): Promise<T> {
  if (call.host === null) {
    throw new DroverError('InvalidInput', `${name} works on a host's disks, and the call names no host`);
  }
  const host = hostOfPlace(call.host);
  const { clock } = datacenter;
  const until = clock.now() + missingMs;
  for (;;) {
    const outcome = await datacenter.transact((tx): { done: T } | { error: DroverError } | 'away' => {
      const found = findHost(tx, host);
      if (found === undefined || found.power !== 'on' || found.hung === 1 || found.cut === 1) return 'away';
      const struck = strike(tx, name, host);
      if (struck?.kind === 'fail')
        return { error: new DroverError('DiskError', `${host}: ${struck.message}`) };
      try {
        const done = work(tx, host);
        if (struck === null) return { done };
        // The worker died before it could answer: the attempt is lost, and the next one finds what it did.
        return { error: new DroverError('Internal', `${host}: the worker died before it answered`) };
      } catch (error) {
        if (error instanceof DroverError) return { error };
        throw error;
      }
    });
    if (outcome !== 'away' && 'done' in outcome) return outcome.done;
    if (outcome !== 'away' && 'error' in outcome) throw outcome.error;
    if (call.signal.aborted) throw new DroverError('Internal', `stopped waiting for the worker of ${host}`);
    if (clock.now() >= until) {
      const what = name === '' ? '' : ` (${name})`;
      throw new DroverError('HostWorkerMissing', `no drover worker of host ${host} took the work${what}`, {
        details: { host },
        hint: `bring the simulated host back: drover sim restore ${host}`,
      });
    }
    await clock.sleep(pollMs, call.signal);
  }
}
