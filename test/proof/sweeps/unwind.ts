import { DroverError } from '../../../model/errors.js';
import type { Sweep } from './kinds.js';
import { variant } from './one-trouble.js';

const refused = () => new DroverError('HypervisorError', 'it said no');
const silent = () => new DroverError('HypervisorUnreachable', 'the line is dead');

export const unwind: Sweep = {
  name: 'unwind',
  says: 'each step fails for good: what was done before it is taken back, and the record says what is left',
  variants: [
    variant('fails before it is done', { fail: { error: refused() } }),
    variant('fails once it is admitted', { when: 'within', fail: { error: refused() } }),
    variant('fails although it is done', { when: 'after', fail: { error: refused() } }),
    variant('is out of reach for ever', { fail: { error: silent() } }),
  ],
};
