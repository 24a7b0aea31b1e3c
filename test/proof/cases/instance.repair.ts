import type { Case } from '../case.js';
import { halfMigrated } from '../half.js';
import { onInstance } from '../place.js';

const lost: Case = {
  title: 'of a migration that nobody runs',
  reconciles: true,
  async setUp(place) {
    const id = await halfMigrated(place);
    const host = place.hosts[1];
    return { input: { instance: id }, instance: { id, well: { state: 'active', host }, else: 'active' } };
  },
};

export const cases = [onInstance('of nothing', { well: 'active' }), lost];
