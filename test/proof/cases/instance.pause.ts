import { onInstance } from '../place.js';

export const cases = [onInstance('a running one', { well: 'paused' })];
