import { onInstance } from '../place.js';

export const cases = [
  onInstance('on shared storage', { well: 'suspended' }),
  onInstance('with a disk of its host alone', { guest: { local: true }, well: 'suspended' }),
];
