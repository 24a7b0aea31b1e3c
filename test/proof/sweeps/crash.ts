import type { Sweep } from './kinds.js';
import { unnoticed } from './one-trouble.js';

export const crash: Sweep = {
  name: 'worker dies',
  says: 'the worker that does the step is killed, in virtual time: the next one goes on from what it finds',
  variants: [
    unnoticed('its worker dies before', { crash: true }),
    unnoticed('its worker dies once it is admitted', { when: 'within', crash: true }),
    unnoticed('its worker dies after', { when: 'after', crash: true }),
  ],
};
