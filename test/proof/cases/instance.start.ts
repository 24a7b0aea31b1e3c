import { onInstance } from '../place.js';

export const cases = [onInstance('a stopped one', { guest: { state: 'stopped' }, well: 'active' })];
