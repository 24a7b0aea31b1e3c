import type { Inventory } from '../inventory/database.js';
import type { Implement } from '../types.js';
import { checkFences } from './check.js';
import { recordSelfFences } from '../inventory/fence-checks.js';
import type { FenceAnswer, Fencing } from './port.js';
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
      if (binding.binding === 'same' || binding.binding === 'trusted')
        return { binding, answer: await fencing.off(host, device) };
      if (binding.binding === 'other')
        return { binding, answer: refused(`${device} ${anothers(host.name)}`) };
      // One that does not answer at all says why; only one that does is refused for what it can't tell.
      const now = await fencing.status(host, device);
      return { binding, answer: now.ok ? refused(`${device} ${unbound(host.name, binding.says)}`) : now };
    },

    fenceOn: async ({ host, device }) => ({ answer: await fencing.on(host, device) }),
    checkFences: (input, call) => checkFences({ fencing, inventory }, input, call),
    recordSelfFences: (input) => recordSelfFences(inventory, input),
  };
}

const refused = (error: string): FenceAnswer => ({ ok: false, why: 'refused', error, seconds: 0 });
const anothers = (host: string): string =>
  `was not used: it has the power of another machine than ${host}. Correct its cabling or its address in drover.yaml`;
const unbound = (host: string, says: string): string =>
  `was not used: nothing shows that it has the power of ${host} (${says}). Once you have looked, say so in drover.yaml: \`trust_binding: true\` at this device`;
