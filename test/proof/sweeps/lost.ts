import { DroverError } from '../../../model/errors.js';
import type { Sweep } from './kinds.js';
import { unnoticed, variant } from './one-trouble.js';

const givenUp = () => new DroverError('TimedOut', 'nothing was heard of it');

export const lost: Sweep = {
  name: 'lost answer',
  says: 'each step is done and its answer never arrives: it is tried again after its time limit, or given up',
  variants: [
    unnoticed('is not heard of, and tried again', { lose: true }),
    variant('is not heard of, and given up', { when: 'after', fail: { error: givenUp() } }),
  ],
};
