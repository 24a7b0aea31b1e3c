import { setLock } from '../../../activities/inventory/instances.js';
import { onInstance } from '../place.js';

export const cases = [
  onInstance('that is locked', {
    well: 'active',
    more: async ({ inventory, name }) =>
      void (await setLock(inventory, name, { reason: 'why', by: 'another' })),
  }),
];
