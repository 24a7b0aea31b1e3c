import { inHalves } from '../in-halves.js';
import { onInstance } from '../place.js';

const hard = () => ({ hard: true });

export const cases = [
  onInstance('softly', { well: 'active' }),
  onInstance('hard, a paused one', { guest: { state: 'paused' }, input: hard, well: 'active' }),
  onInstance('hard, one that a post-copy left in halves', {
    // Off is what it is once its halves are given up; before, none of them runs.
    guest: { state: 'stopped' },
    input: hard,
    host: 1,
    well: 'active',
    more: inHalves,
  }),
];
