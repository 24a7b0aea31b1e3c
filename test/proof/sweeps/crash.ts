import type { Sweep } from './kinds.js';
import { variant } from './one-trouble.js';

export const crash: Sweep = {
  name: 'worker dies',
  says: 'the worker that does the step is killed, in virtual time: the next one goes on from what it finds',
  variants: [
    variant('its worker dies before', { crash: true }),
    variant('its worker dies once it is admitted', { when: 'within', crash: true }),
    variant('its worker dies after', { when: 'after', crash: true }),
  ],
};
