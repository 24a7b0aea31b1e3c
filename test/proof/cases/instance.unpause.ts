import { onInstance } from '../place.js';

export const cases = [onInstance('a paused one', { guest: { state: 'paused' }, well: 'active' })];
