import type { Hypervisor } from '../hypervisor/port.js';
import { startGuest } from '../hypervisor/power.js';
import type { Inventory } from '../inventory/database.js';
import { definitionOf } from '../inventory/definitions.js';
import { hypervisorInventory } from '../inventory/for-hypervisor.js';
import type { EvacuationActivities, Implement } from '../types.js';
import { evacuationOf, requireHeld } from './facts.js';
import { clearBeside, defineEvacuated } from './guest.js';
import { supersedeOperation, type Workflows } from './supersede.js';

/** `hypervisor`: the fenced one (`fencedHypervisor`), as for every other operation. */
export function createEvacuationActivities(deps: {
  hypervisor: Hypervisor;
  inventory: Inventory;
  workflows: Workflows;
}): Implement<EvacuationActivities> {
  const { hypervisor, inventory } = deps;
  return {
    supersedeOperation: (input, call) => supersedeOperation(deps, input, call),
    evacuationOf: (input) => evacuationOf(inventory, input.instance),
    clearBeside: (input, call) => clearBeside(hypervisor, input, call),
    async defineEvacuated(input, call) {
      await requireHeld(inventory, input.lost);
      await defineEvacuated(hypervisor, input, await definitionOf(inventory, input.instance), call);
    },
    async startEvacuated(input, call) {
      // The last look at the evidence before it runs: it may have been withdrawn since the evacuation began.
      await requireHeld(inventory, input.lost);
      return startGuest({ hypervisor, inventory: hypervisorInventory(inventory) }, input, call);
    },
  };
}
