import { onInstance } from '../place.js';

export const cases = [
  onInstance('softly', { well: 'active' }),
  onInstance('hard, a paused one', {
    guest: { state: 'paused' },
    input: () => ({ hard: true }),
    well: 'active',
  }),
];
