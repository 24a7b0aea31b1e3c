import { onInstance } from '../place.js';

export const cases = [
  onInstance('of a running one', {
    input: () => ({ max_downtime: '300ms', allow: ['auto-converge,pause=2s'], restart: 'on-crash' }),
    well: 'active',
  }),
];
