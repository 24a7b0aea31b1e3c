import { onInstance } from '../place.js';

const input = () => ({ reason: 'payroll runs' });

export const cases = [
  onInstance('that is open', { input, well: 'active' }),
  onInstance('that is off', { guest: { state: 'stopped' }, input, well: 'stopped' }),
];
