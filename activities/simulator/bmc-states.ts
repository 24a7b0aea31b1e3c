/** How the BMCs of simulated hosts are. */
import { DroverError } from '../../model/errors.js';
import type { Tx } from './database.js';
import { requireHost } from './hosts.js';

/**
 * - `dead`: it answers nobody. `hang`: it takes calls and never answers. `wrong-password`: it refuses ours.
 * - `deaf`: it says yes and does nothing. `lie`: so it does, and tells of the power what it was asked for.
 * - `swapped`: it has the power of another host, and tells that one's system UUID.
 */
export const bmcStates = ['ok', 'dead', 'hang', 'wrong-password', 'deaf', 'lie', 'swapped'] as const;
export type BmcState = (typeof bmcStates)[number];

/** `of`: whose power it has when it is swapped. */
export function setBmc(tx: Tx, host: string, state: BmcState, of: string | null): void {
  requireHost(tx, host);
  if (of !== null) requireHost(tx, of);
  if ((state === 'swapped') !== (of !== null) || of === host) {
    throw new DroverError('InvalidInput', `the BMC of ${host} is swapped with that of another host`, {
      hint: `name it: drover sim bmc swapped ${host} --with OTHER`,
    });
  }
  tx.run('update hosts set bmc = ?, bmc_of = ?, bmc_said = null where name = ?', state, of, host);
}
