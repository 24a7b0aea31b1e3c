import type { Case } from '../case.js';
import { halfMigrated } from '../half.js';
import { onInstance } from '../place.js';

const broken: Case = {
  title: 'one that is broken already',
  reconciles: true,
  async setUp(place) {
    const id = await halfMigrated(place);
    return {
      input: { instance: id },
      instance: { id, well: { state: 'deleted', host: null }, else: 'active' },
    };
  },
};

export const cases = [
  onInstance('with its disk', { guest: { local: true }, well: 'deleted', host: null }),
  onInstance('keeping its disk', {
    input: () => ({ keep_disks: true }),
    well: 'deleted',
    host: null,
    keptDisks: true,
  }),
  broken,
];
