import { systemClock, type Clock } from '../clock.js';
import type { HypervisorActivities, Implement } from '../types.js';
import { defaultPace, type HypervisorDeps, type HypervisorInventory, type Pace } from './deps.js';
import { ownerOf } from './guard.js';
import { look } from './look.js';
import { migrateGuest } from './migrate.js';
import type { Hypervisor } from './port.js';
import { pauseGuest, rebootGuest, startGuest, stopGuest, unpauseGuest } from './power.js';
import { probeHosts } from './probe.js';
import { removeGuest } from './remove.js';
import { undoMigrate } from './undo-migrate.js';

/** The activities that act on hypervisors, over any driver of the port. */
export function createHypervisorActivities(options: {
  hypervisor: Hypervisor;
  inventory: HypervisorInventory;
  pace?: Partial<Pace>;
  clock?: Clock;
}): Implement<HypervisorActivities> {
  const deps: HypervisorDeps = {
    ...options,
    pace: { ...defaultPace, ...options.pace },
    clock: options.clock ?? systemClock,
  };
  return {
    look: (input) => look(deps, input),
    async defineGuest(input, call) {
      const owner = ownerOf(call);
      await deps.hypervisor.define(input.host, input.spec, owner);
    },
    startGuest: (input, call) => startGuest(deps, input, call),
    stopGuest: (input, call) => stopGuest(deps, input, call),
    rebootGuest: (input, call) => rebootGuest(deps, input, call),
    pauseGuest: (input, call) => pauseGuest(deps, input, call),
    unpauseGuest: (input, call) => unpauseGuest(deps, input, call),
    removeGuest: (input, call) => removeGuest(deps, input, call),
    migrateGuest: (input, call) => migrateGuest(deps, input, call),
    undoMigrate: (input, call) => undoMigrate(deps, input, call),
    probeHosts: (_input, call) => probeHosts(deps, call),
  };
}
