import type { Implement, InventoryActivities } from '../types.js';
import { beginOperation, type BeginDeps } from './begin.js';
import { claimHost, releaseClaim, type ClaimDeps } from './claims.js';
import { commit, finishOperation, startUnwind } from './close.js';
import {
  beginHostOperation,
  changeHost,
  endOfHostOperation,
  finishHostOperation,
  keepBoot,
} from './host-operations.js';
import { setHost } from './host-settings.js';
import { getHostRef, listHosts, writeEnabled } from './hosts.js';
import { getInstance, listInstanceNames, listInstances } from './instances.js';
import { endMaintenance, startMaintenance } from './maintenance.js';
import { noFigures, recordColdMigration } from './cold-migrations.js';
import { getFlavor } from './flavors.js';
import { recordOperationAction } from './operation-actions.js';
import { ladderStep, migrationEnded } from './records.js';
import { lostRecoveries } from '../recovery/lost.js';
import { findOrphans } from './orphans.js';
import { admit } from './ownership.js';
import { reconciled } from './reconcile.js';
import { refuseOperation } from './refuse.js';
import { releaseConcurrency, takeConcurrency } from './concurrency.js';
import { mayRestart } from './restarts.js';
import { recordRunAction } from './run-actions.js';
import { recordItems } from './run-items.js';
import { finishRun, startRun } from './runs.js';
import { storageProof } from './storage-proof.js';

/** The dependencies of all inventory activities. */
export type InventoryDeps = BeginDeps & ClaimDeps;

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
    async claimHost(input, call) {
      const { host } = await claimHost(deps, input, call);
      const { lost } = input;
      if (!lost || call.owner === null) return { host };
      const { instance } = call.owner;
      return { host, proof: await storageProof(inventory, { instance, lost, target: host.name }) };
    },
    releaseClaim: (input) => releaseClaim(inventory, input),
    recordMigration: (input, { owner }) => recordColdMigration(inventory, input, owner),
    closeMigration: ({ migration, state, reason }) =>
      migrationEnded(inventory, migration, { ...noFigures, state, reason }),
    getFlavor: ({ flavor }) => getFlavor(inventory, flavor),
    getHost: ({ host }) => getHostRef(inventory, host),
    getInstance: ({ instance }) => getInstance(inventory, instance),
    listInstanceNames: (by) => listInstanceNames(inventory, by),
    listInstances: (by) => listInstances(inventory, by),
    listHosts: (by) => listHosts(inventory, by),
    setHostEnabled({ request, by, ...input }) {
      const kind = input.enabled ? 'enable' : 'disable';
      return changeHost(deps, { kind, host: input.host, input, request }, (trx, row) =>
        writeEnabled(trx, row, { ...input, by }),
      );
    },
    setHost: (input) => setHost(deps, input),
    startMaintenance: (input) => startMaintenance(deps, input),
    endMaintenance: (input) => endMaintenance(deps, input),
    beginHostOperation: (input) => beginHostOperation(deps, input),
    keepBoot: (input) => keepBoot(deps, input),
    endOfHostOperation: (input) => endOfHostOperation(inventory, input),
    finishHostOperation: (input) => finishHostOperation(deps, input),
    startRun: (run) => startRun(inventory, run),
    finishRun: (run) => finishRun(inventory, run),
    recordItems: (items) => recordItems(inventory, items),
    recordRunAction: (action) => recordRunAction(inventory, action),
    recordOperationAction: (action) => recordOperationAction(inventory, action),
    recordRung: ({ migration, rung, says, by }) => ladderStep(inventory, migration, { rung, says, by }),
    takeConcurrency: (input, call) => takeConcurrency(deps, input, call),
    releaseConcurrency: (input) => releaseConcurrency(inventory, input),
    mayRestart: (input) => mayRestart(inventory, input),
    findOrphans: async () => [
      ...(await findOrphans(deps)),
      ...(await lostRecoveries(deps)).map(({ incident, host, by }) => ({
        instance: host,
        name: host,
        why: 'its recovery was ended from outside',
        recover: { incident, by },
      })),
    ],
  };
}
