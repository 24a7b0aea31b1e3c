import type { Sweep } from './kinds.js';
import { variant } from './one-trouble.js';

export const cancel: Sweep = {
  name: 'cancel',
  says: 'somebody cancels at each step: it is taken back, or done, and told as what it is',
  variants: [
    variant('is cancelled before', { cancel: true }),
    variant('is cancelled meanwhile', { when: 'within', cancel: true }),
    variant('is cancelled after', { when: 'after', cancel: true }),
  ],
};
