import type { Inventory } from '../inventory/database.js';
import type { Implement } from '../types.js';
import { checkFences } from './check.js';
import { recordSelfFences } from '../inventory/fence-checks.js';
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

    async fenceOff({ host, device, systemUuid }) {
      const binding = await fencing.identify(host, device, systemUuid);
      if (binding.binding !== 'other') return { binding, answer: await fencing.off(host, device) };
      const error = `${device} was not used: it has the power of another machine than ${host.name}. Correct its cabling or its address in drover.yaml`;
      return { binding, answer: { ok: false, why: 'refused', error, seconds: 0 } };
    },

    fenceOn: async ({ host, device }) => ({ answer: await fencing.on(host, device) }),
    checkFences: (input, call) => checkFences({ fencing, inventory }, input, call),
    recordSelfFences: (input) => recordSelfFences(inventory, input),
  };
}
