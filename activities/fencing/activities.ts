import type { Inventory } from '../inventory/database.js';
import type { Implement } from '../types.js';
import { checkFences } from './check.js';
import { recordSelfFences } from '../inventory/fence-checks.js';
import { fenceOff } from './off.js';
import type { Fencing } from './port.js';
import type { FencingActivities } from './types.js';

export function createFencingActivities({
  fencing,
  inventory,
}: {
  fencing: Fencing;
  inventory: Inventory;
}): Implement<FencingActivities> {
  return {
    fenceDevices: async ({ host }) => ({ devices: await fencing.devices(host) }),

    async fenceStatus({ host, device, systemUuid }) {
      const binding = await fencing.identify(host, device, systemUuid);
      return { binding, answer: await fencing.status(host, device) };
    },

    fenceOff: (input) => fenceOff(fencing, input),

    fenceOn: async ({ host, device }) => ({ answer: await fencing.on(host, device) }),
    checkFences: (input, call) => checkFences({ fencing, inventory }, input, call),
    recordSelfFences: (input) => recordSelfFences(inventory, input),
  };
}
