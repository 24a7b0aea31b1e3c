import type { Implement, InventoryActivities } from '../types.js';
import { beginOperation, type BeginDeps } from './begin.js';
import { claimHost, releaseClaim } from './claims.js';
import { commit, finishOperation, startUnwind } from './close.js';
import { getHostRef, listHosts, setHostEnabled } from './hosts.js';
import { getInstance, listInstances } from './instances.js';
import { findOrphans } from './orphans.js';
import { admit } from './ownership.js';
import { reconciled } from './reconcile.js';
import { refuseOperation } from './refuse.js';
import { finishRun, startRun } from './runs.js';

/** The dependencies of all inventory activities. */
export type InventoryDeps = BeginDeps;

export function createInventoryActivities(deps: InventoryDeps): Implement<InventoryActivities> {
  const { inventory } = deps;
  return {
    beginOperation: (input) => beginOperation(deps, input),
    reconciled: (input) => reconciled(deps, input),
    startUnwind: (input) => startUnwind(deps, input),
    commit: (input) => commit(deps, input),
    admit: (input) => admit(deps, input),
    finishOperation: (input) => finishOperation(deps, input),
    refuseOperation: (input) => refuseOperation(deps, input),
    claimHost: (input, call) => claimHost(deps, input, call),
    releaseClaim: (input) => releaseClaim(inventory, input),
    getHost: ({ host }) => getHostRef(inventory, host),
    getInstance: ({ instance }) => getInstance(inventory, instance),
    listInstances: (by) => listInstances(inventory, by),
    listHosts: (by) => listHosts(inventory, by),
    setHostEnabled: (change) => setHostEnabled(inventory, change),
    startRun: (run) => startRun(inventory, run),
    finishRun: (run) => finishRun(inventory, run),
    findOrphans: () => findOrphans(deps),
  };
}
