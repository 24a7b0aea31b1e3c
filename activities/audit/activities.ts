import type { Implement } from '../types.js';
import type { Hypervisor } from '../hypervisor/port.js';
import { transact, type Inventory } from '../inventory/database.js';
import { refreshUsage } from '../inventory/host-usage.js';
import { listHosts } from '../inventory/hosts.js';
import { reconcileRestored, stampedIn } from '../inventory/restored.js';
import { compareInventory } from './compare.js';
import { lookAtHosts, type LookDeps } from './look.js';
import { diskDirectories } from './recorded.js';
import { adoptGuest, claimOrphan, releaseLeaked } from './release.js';
import { begin, end, keepFiles, seenBy } from './store.js';
import type { AuditActivities } from './types.js';

/** More are not looked into: disks are in a few directories. */
const mostDirectories = 50;

/** `say`: for the log of the worker, where what is found is read by other programs. */
export function createAuditActivities(deps: {
  inventory: Inventory;
  hypervisor: Hypervisor;
  quarantine?: LookDeps['quarantine'];
  say?: (finding: string) => void;
}): Implement<AuditActivities> {
  const { inventory } = deps;
  return {
    async beginAudit(input) {
      const since = inventory.now();
      await begin(inventory, input);
      const wanted = input.options.hosts;
      const all = (await listHosts(inventory)).map(({ name, uri }) => ({ name, uri }));
      return {
        since,
        hosts: all.filter(({ name }) => wanted === null || wanted.includes(name)),
        directories: await diskDirectories(inventory, mostDirectories),
      };
    },
    lookAtHosts: (input, call) => lookAtHosts(deps, input, call),
    keepFiles: ({ audit, hosts }) => keepFiles(inventory, audit, hosts),
    compareInventory: (input) => compareInventory(deps, input),
    releaseLeaked: (input) => releaseLeaked(inventory, input),
    countUsage: ({ host }) => transact(inventory, (trx) => refreshUsage(trx, [host])),
    raiseEpochs: async ({ audit }) => reconcileRestored(inventory, stampedIn(await seenBy(inventory, audit))),
    adoptGuest: (input) => adoptGuest(deps, input),
    claimOrphan: (input) => claimOrphan(deps, input),
    endAudit: (input) => end(inventory, input),
  };
}
