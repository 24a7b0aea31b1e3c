import type { Trouble } from '../../../virtual/trouble.js';
import { DroverError } from '../../../model/errors.js';
import { judge, type Verdict } from '../judge.js';
import { secondOwner, type Second } from '../second.js';
import { heard, type VirtualTrial } from '../stage.js';
import { recordFor } from '../told.js';
import type { Change } from '../watch.js';
import type { Sweep, Variant } from './kinds.js';
import { told } from './one-trouble.js';

type When = NonNullable<Trouble['when']>;

/** `onHosts`: the second one has been on the hosts already, so their own fences know of it. */
const secondAt = (name: string, when: When, { onHosts = false } = {}): Variant => ({
  name,
  async at(trial, step) {
    if (!trial.given.instance) return changedByAnother(trial, step, when);
    let second: Second | null = null;
    const act = async () => {
      second = await secondOwner(trial, onHosts);
    };
    const { calls, ending } = await attempt(trial, { at: step, when, act });
    if (calls.length < step) return null;
    const after = heard(await ending);
    const { outcome, wrong } =
      second === null
        ? { outcome: '', wrong: [] }
        : await refused(trial, second, after, tolerated(onHosts ? calls[step - 1] : 'on disks'));
    const verdict = await judge(trial, 'nothing', true);
    return told(
      { outcome: `${after}${outcome}, then ${verdict.outcome}`, wrong: [...wrong, ...verdict.wrong] },
      calls,
      step,
    );
  },
});

async function attempt(trial: VirtualTrial, trouble: Trouble) {
  const handle = trial.stage.ask(trial, { troubles: [trouble] });
  const ending = handle.ending;
  await ending;
  return { calls: handle.calls, ending };
}

/** From the moment on at which it had lost the instance, the first has changed nothing and was told why. */
async function refused(
  trial: VirtualTrial,
  second: Second,
  after: string,
  isTolerated: (change: Change) => boolean,
): Promise<Verdict> {
  const changes = trial.stage.unwatch().filter((change) => !isTolerated(change));
  // The first had ended, or had not begun: then the later one is the owner rightly.
  if (!second.whileFirstRan) return { outcome: ' rightly', wrong: [] };
  const wrong = changes.map((what) => `the first still changed ${what.told}`);
  if (after !== 'StaleOwner') wrong.push(`the first ended ${after}, not StaleOwner`);
  wrong.push(...(await second.stands()));
  return { outcome: '', wrong };
}

/**
 * A host's worker has no inventory: of an owner who has not been on the host it can't know. And a guest that is
 * being defined can carry no stamp of the second yet, who has its intent though, and so removes it.
 */
const tolerated =
  (call: string | undefined) =>
  ({ table }: Change): boolean =>
    (call === 'on disks' && (table === 'files' || table === 'made')) ||
    ((call === 'defineGuest' || call === 'defineEvacuated') && table === 'guests');

/** Hosts have no owner: their changes are whole in themselves, and what comes later stands. */
async function changedByAnother(trial: VirtualTrial, step: number, when: When): Promise<Verdict | null> {
  const { second } = trial.given;
  if (!second) throw new Error(`a case of ${trial.operation} says nothing of a second operation`);
  let came: 'before' | 'after' = 'before';
  const act = async () => {
    if ((await recordFor(trial))?.state === 'succeeded') came = 'after';
    await second.act();
  };
  // The answer of the first is lost as well: its repetition must not undo what came in between.
  const fail = { error: new DroverError('InventoryUnavailable', 'for a moment'), once: true };
  const { calls, ending } = await attempt(trial, { at: step, when, act, fail });
  if (calls.length < step) return null;
  const after = heard(await ending);
  return told({ outcome: after, wrong: await second.wrong(came) }, calls, step);
}

export const stale: Sweep = {
  name: 'second owner',
  says: 'another operation takes over at each step: the first changes nothing more, and the second stands',
  variants: [
    secondAt('has a second owner before', 'before'),
    secondAt('has a second owner after', 'after'),
    secondAt('has a second owner, who was on the hosts, before', 'before', { onHosts: true }),
    secondAt('has a second owner, who was on the hosts, once it is admitted', 'within', { onHosts: true }),
  ],
};
