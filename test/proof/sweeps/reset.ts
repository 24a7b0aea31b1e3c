import type { Trouble } from '../../../virtual/trouble.js';
import { judge } from '../judge.js';
import { heard } from '../stage.js';
import type { Sweep, Variant } from './kinds.js';
import { told } from './one-trouble.js';

const resetAt = (name: string, when: NonNullable<Trouble['when']>): Variant => ({
  name,
  async at(trial, step) {
    const handle = trial.stage.ask(trial, { troubles: [{ at: step, when, terminate: true }] });
    await handle.ending;
    const { calls } = handle;
    if (calls.length < step) return null;
    const ending = await handle.reset().ending;
    return told(await judge(trial, heard(ending), false), [...calls, 'reset', ...handle.calls], step);
  },
});

export const reset: Sweep = {
  name: 'reset',
  says: 'its workflow is reset to its beginning at each step: the new run comes to one end, once',
  variants: [
    resetAt('is reset before', 'before'),
    resetAt('is reset once it is admitted', 'within'),
    resetAt('is reset after', 'after'),
  ],
};
