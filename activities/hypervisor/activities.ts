import { systemClock, type Clock } from '../clock.js';
import type { HypervisorActivities, Implement } from '../types.js';
import {
  checkColdMove,
  copyDefinition,
  dropDefinition,
  resizeDefinition,
  restartGuest,
  undoArrival,
} from './cold.js';
import { defaultPace, type HypervisorDeps, type HypervisorInventory, type Pace } from './deps.js';
import { ownerOf } from './guard.js';
import { clearHalves } from './clear-halves.js';
import { look } from './look.js';
import { migrateGuest } from './migrate.js';
import type { Hypervisor } from './port.js';
import { pauseGuest, rebootGuest, startGuest, stopGuest, unpauseGuest } from './power.js';
import { probeHosts } from './probe.js';
import { disableAutostart, removeDefinition, removeGuest } from './remove.js';
import { restoreGuest, saveGuest, undoSave } from './save.js';
import { steerMigration } from './steer.js';
import { undoMigrate } from './undo-migrate.js';

/** The activities that act on hypervisors, over any driver of the port. */
export function createHypervisorActivities(options: {
  hypervisor: Hypervisor;
  inventory: HypervisorInventory;
  pace?: Partial<Pace>;
  clock?: Clock;
  quarantine?: HypervisorDeps['quarantine'];
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
    saveGuest: (input, call) => saveGuest(deps, input, call),
    undoSave: (input, call) => undoSave(deps, input, call),
    restoreGuest: (input, call) => restoreGuest(deps, input, call),
    removeGuest: (input, call) => removeGuest(deps, input, call),
    removeDefinition: (input, call) => removeDefinition(deps, input, call),
    disableAutostart: (input, call) => disableAutostart(deps, input, call),
    migrateGuest: (input, call) => migrateGuest(deps, input, call),
    steerMigration: (input, call) => steerMigration(deps, input, call),
    clearHalves: (input, call) => clearHalves(deps, input, call),
    undoMigrate: (input, call) => undoMigrate(deps, input, call),
    checkColdMove: (input, call) => checkColdMove(deps, input, call),
    copyDefinition: (input, call) => copyDefinition(deps, input, call),
    dropDefinition: (input, call) => dropDefinition(deps, input, call),
    resizeDefinition: (input, call) => resizeDefinition(deps, input, call),
    restartGuest: (input, call) => restartGuest(deps, input, call),
    undoArrival: (input, call) => undoArrival(deps, input, call),
    probeHosts: (_input, call) => probeHosts(deps, call),
  };
}
