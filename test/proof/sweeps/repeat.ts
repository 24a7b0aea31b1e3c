import { DroverError } from '../../../model/errors.js';
import { judge } from '../judge.js';
import { heard } from '../stage.js';
import type { Sweep } from './kinds.js';
import { told, unnoticed } from './one-trouble.js';

/** Retried, however often and however late. */
const hiccup = () => new DroverError('InventoryUnavailable', 'for a moment');

export const repeat: Sweep = {
  name: 'repeat',
  says: 'each activity is carried out twice, all of them and each by itself: the second time changes nothing',
  variants: [
    unnoticed('is done, fails, and is done again', { when: 'after', fail: { error: hiccup(), once: true } }),
    unnoticed('fails once before it is done', { fail: { error: hiccup(), once: true } }),
    {
      name: 'is done twice, as all others',
      whole: true,
      async at(trial) {
        const handle = trial.stage.ask(trial, { twice: true });
        const ending = await handle.ending;
        return told(await judge(trial, heard(ending), false), handle.calls, 1);
      },
    },
  ],
};
