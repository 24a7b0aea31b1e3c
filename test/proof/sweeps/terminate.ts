import type { Sweep } from './kinds.js';
import { variant } from './one-trouble.js';

export const terminate: Sweep = {
  name: 'terminate',
  says: 'its workflow is terminated at each step: the janitor finds what it left and settles it',
  variants: [
    variant('is terminated before', { terminate: true }),
    variant('is terminated once it is admitted', { when: 'within', terminate: true }),
    variant('is terminated after', { when: 'after', terminate: true }),
  ],
};
